"""The media judge's adapter learns to grade written answers."""

import json
from pathlib import Path

import pytest
import torch

from moderation.errors import ConfigurationError
from rl.stages.text_judge import graded_answers
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny
from tests.unit.rl.stages.stage_runs import REGRESSION, log, recipe, run
from tests.unit.rl.text_judge.text_items import row, write

FILE = "text-judge/answers.json"
TEXT = {
    "kind": "text_judge",
    "files": [FILE],
    "steps": 40,
    "rate": 1e-2,
    "full_share": 0.5,
    "form": {"rationale_tokens_max": 16},
}


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "backbone")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODERATION_SOURCES", str(tmp_path / "sources"))
    write(tmp_path / "sources" / FILE, 20)
    return tmp_path / "sources"


@pytest.mark.usefixtures("sources")
def test_it_learns_the_grades_and_leaves_the_projectors_alone(backbone, tmp_path) -> None:
    plan = recipe(TEXT)
    before = tiny.model(backbone, tiny.examples())
    before.fit_normalisation(tiny.examples())
    kept = {name: value.clone() for name, value in before.trainable_state().items()}
    after = run(backbone, plan, tmp_path / "run").trainable_state()
    same = {name for name in kept if torch.equal(kept[name], after[name])}
    assert {name for name in kept if name.startswith("projector")} == {
        name for name in same if name.startswith("projector")
    }
    assert any("lora_B" in name and name not in same for name in kept)
    errors = [line["squared_error"] for line in log(tmp_path / "run", plan)]
    assert sum(errors[-10:]) < 0.5 * sum(errors[:10])


@pytest.mark.usefixtures("sources")
def test_training_on_media_goes_on_from_it(backbone, tmp_path) -> None:
    plan = recipe(TEXT, REGRESSION)
    run(backbone, plan, tmp_path / "text-first")
    run(backbone, recipe(REGRESSION), tmp_path / "scratch")
    first, scratch = (
        log(tmp_path / "text-first", plan, 2)[0],
        log(tmp_path / "scratch", recipe(REGRESSION))[0],
    )
    assert first["squared_error"] != pytest.approx(scratch["squared_error"])


def test_other_answers_are_refused(backbone, tmp_path, sources) -> None:
    run(backbone, recipe(TEXT), tmp_path / "run")
    (sources / FILE).write_text(json.dumps([row(3)]))
    with pytest.raises(ConfigurationError, match="graded_answers"):
        run(backbone, recipe(TEXT), tmp_path / "run")


def test_a_missing_file_is_named_with_where_to_put_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MODERATION_SOURCES", str(tmp_path))
    (stage,) = recipe(TEXT).stages
    with pytest.raises(ConfigurationError, match=FILE) as found:
        graded_answers(stage)
    assert str(tmp_path) in found.value.expected
