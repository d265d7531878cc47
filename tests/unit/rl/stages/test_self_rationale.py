"""TRACT stage 2: the judge's own rationales, from the untrained judge on."""

import json
from pathlib import Path

import pytest
import torch

from rl.stages.self_rationale import RATIONALES
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny
from tests.unit.rl.stages.stage_runs import REGRESSION, recipe, run


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


def test_own_rationales_are_kept_and_not_written_again(backbone, tmp_path) -> None:
    second = REGRESSION | {"kind": "self_rationale", "write_items": 5}
    plan = recipe(REGRESSION | {"steps": 20, "full_share": 1.0}, second)
    whole = run(backbone, plan, tmp_path)
    path = tmp_path / "2-self_rationale" / RATIONALES
    written = path.read_text()
    entries = [json.loads(line) for line in written.splitlines()]
    assert sorted(entry["path"] for entry in entries) == sorted(e.path for e in tiny.examples())
    assert any(entry["rationales"] for entry in entries)
    # Half of them, and a torn line, are what a killed run leaves; the rest comes out the same.
    lines = written.splitlines(keepends=True)
    for name in ("checkpoint.pt", "judge.safetensors"):
        (path.parent / name).unlink()
    path.write_text("".join(lines[:5]) + lines[5][:10])
    resumed = run(backbone, plan, tmp_path)
    assert path.read_text() == written
    for name, value in whole.trainable_state().items():
        assert torch.equal(value, resumed.trainable_state()[name]), name


def test_stage_two_begins_from_the_untrained_judge(backbone, tmp_path) -> None:
    second = REGRESSION | {"kind": "self_rationale", "full_share": 0.0, "steps": 4}
    after_one = recipe(REGRESSION, second)
    alone = recipe(second)
    two = run(backbone, after_one, tmp_path / "two").trainable_state()
    one = run(backbone, alone, tmp_path / "one").trainable_state()
    assert all(torch.equal(value, one[name]) for name, value in two.items())
