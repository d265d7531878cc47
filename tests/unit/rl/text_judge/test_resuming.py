"""A stage of a text judge that was killed goes on to the bit."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from rl.text_judge import regression, rollouts
from rl.text_judge.items import TextItem
from rl.text_judge.model import TextJudge
from rl.text_judge.recipe import TextRegressionStage, TextRolloutsStage
from tests.unit.judge.builders import write_backbone

from .text_items import items, judge

REGRESSION = TextRegressionStage(
    kind="regression", steps=6, batch_items=4, rate=1e-2, full_share=0.5, checkpoint_steps=2
)
ROLLOUTS = TextRolloutsStage.model_validate(
    {
        "kind": "rollouts",
        "steps": 6,
        "step_items": 2,
        "rollouts_G": 2,
        "rate": 1e-2,
        "checkpoint_steps": 2,
        "objective": {"kind": "real"},
    }
)
KINDS: dict[str, tuple[Any, Any]] = {
    "regression": (regression.train, REGRESSION),
    "rollouts": (rollouts.train, ROLLOUTS),
}
# What measures time, or the whole of a run.
UNLIKE = ("step_time", "runtime", "_per_second", "total_flos", "train_loss")


class Killed(Exception):
    """What the process dies of."""


def run(kind: str, backbone: Path, data: list[TextItem], folder: Path) -> TextJudge:
    train, stage = KINDS[kind]
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = judge(backbone)
    train(stage, model, data, folder, seed=0, console=Console(file=io.StringIO()))
    return model


def log(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / regression.LOG).read_text().splitlines()]
    return [{k: v for k, v in line.items() if not any(u in k for u in UNLIKE)} for line in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_equals_an_uninterrupted_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, data = write_backbone(tmp_path / "backbone"), items(tmp_path / "data")
    whole = run(kind, backbone, data, tmp_path / "whole").trainable_state()

    step, calls = torch.optim.AdamW.step, 0

    def dies(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Killed
        return step(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", dies)
        with pytest.raises(Killed):
            run(kind, backbone, data, tmp_path / "cut")
    resumed = run(kind, backbone, data, tmp_path / "cut").trainable_state()
    assert len(log(tmp_path / "whole")) >= 6
    # The summary that transformers writes at the end counts what this process did.
    assert log(tmp_path / "cut")[:6] == log(tmp_path / "whole")[:6]
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
