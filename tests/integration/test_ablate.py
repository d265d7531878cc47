"""`moderation ablate` on real files: two-layer backbone, forensic features, every kind of row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from moderation.errors import ConfigurationError
from rl.ablation.plan import plan
from rl.ablation.predictions import read_predictions
from rl.ablation.recipe import read_ablation_recipe
from rl.ablation.run_log import RunLog
from rl.ablation.running import Task, left
from rl.commands.ablate import ablate_command
from rl.corpus.manifest import write_manifest
from rl.judge_model import JudgeModel
from tests.unit.judge.builders import write_backbone
from tests.unit.probes.small_corpus import write_corpus

app = typer.Typer()
app.command()(ablate_command)

SPLIT_OF_SOURCE = {
    **dict.fromkeys(range(8), "train"),
    8: "validation",
    **dict.fromkeys(range(9, 14), "calibration"),
    14: "test-in-domain",
    15: "test-unseen-generators",
}
RECIPE = """
reference = "real"
seeds = [0, 1]
splits = ["test-in-domain", "test-unseen-generators"]
detectors = ["logistic"]

[items]
train = 24

[shortened]
layers = 1
steps = 2
batch_items = 4

[judge]
name = "tiny"
backbone = "{backbone}"
width = 8
lora_rank = 2
rationale_tokens_max = 8
sequences.forensic_image = {{}}

[[parts]]
name = "first"
[[parts.stages]]
kind = "regression"
steps = 3
batch_items = 4
full_share = 0.5

[[parts]]
name = "second"
after = "first"
[[parts.stages]]
kind = "self_rationale"
steps = 2
batch_items = 4
validate_steps = 2

[rollouts]
steps = 2
step_items = 2
rollouts_G = 2
checkpoint_steps = 1
validate_steps = 2

[[rows]]
name = "base"
mode = "fast"

[[rows]]
name = "ce-decode"
mode = "fast"
is_decoded = true
[[rows.stages]]
kind = "cross_entropy"
steps = 2
batch_items = 4

[[rows]]
name = "tract"
label = "TRACT"
after = "second"
mode = "full"

[[rows]]
name = "zero-one"
after = "second"
mode = "full"
objective = {{ kind = "zero_one" }}

[[rows]]
name = "real"
label = "REAL"
after = "second"
mode = "full"
objective = {{ kind = "real", refinement_weight = 1.0 }}

[sweep]
row = "real"
refinement_weights = [0.1, 1.0]
"""
ROWS = ("base", "ce-decode", "tract", "zero-one", "real", "real-beta-0.1")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rows = [row for row in write_corpus(folder) if row["modality"] == "image"]
    for row in rows:
        source = int(row["source"].rpartition("-")[2])
        row["split"] = SPLIT_OF_SOURCE[source]
        claim = {"modality": "image", "start": 0.0, "end": 0.0, "cue": "mirrored picture"}
        row |= {"recipe": "mirror", "generator": "mirror", "claims": []}
        if row["is_manipulated"]:
            row |= {"y": 1.0 + source % 6, "claims": [{**claim, "strength": "strong"}]}
    write_manifest(rows, folder)
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    path = folder / "ablation.toml"
    path.write_text(RECIPE.format(backbone=write_backbone(folder / "backbone")))
    return path


@pytest.fixture(scope="module")
def ablate(
    corpus: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    cache = tmp_path_factory.mktemp("cache")
    environment = {"MODERATION_ENCODERS": "forensic", "MODERATION_CACHE_DIR": str(cache)}

    def run(out: Path, *arguments: object, recipe: Path = recipe) -> Any:
        asked = ["--recipe", recipe, "--corpus", corpus, "--out", out, "--draws", 20, *arguments]
        return CliRunner().invoke(app, [str(a) for a in asked], env=environment)

    return run


@pytest.fixture(scope="module")
def whole(ablate: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rows with seed 0, without a stop."""
    out = tmp_path_factory.mktemp("whole")
    done = ablate(out, "--seeds", 0)
    assert done.exit_code == 0, done.output
    assert "Report:" in done.stdout
    return out


def lines(out: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Finished runs by row and seed, without what measures time."""
    found = [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]
    # A row without training takes no time worth the name.
    assert sum(run.pop("wall_seconds") for run in found) > 0
    by_key = {(run["row"], run["seed"]): run for run in found}
    assert len(by_key) == len(found)
    return by_key


def test_every_row_has_a_line_figures_and_its_place_in_the_report(whole: Path) -> None:
    found = lines(whole)
    assert [row for row, _ in found] == ["logistic", *ROWS]
    for run in found.values():
        assert set(run["figures"]) == {"test-in-domain", "test-unseen-generators"}
        for figures in run["figures"].values():
            assert 0 <= figures["mae"] <= 9
            assert 0 <= figures["auc"] <= 1
            assert ("time_overlap" in figures) == (run["mode"] == "full")
        assert run["platt"]["items"] == 20
    assert found["base", 0]["steps"] == 0
    assert found["tract", 0]["steps"] == 5
    assert found["real", 0]["steps"] == 7
    # Two steps of two items and two rollouts of at most 8 tokens, and the cue and digit behind.
    extra = found["real", 0]["generated_tokens"] - found["tract", 0]["generated_tokens"]
    assert 8 <= extra <= 2 * 2 * 2 * 20
    table = json.loads((whole / "report" / "table.json").read_text())
    names = ["base", "ce-decode", "TRACT", "zero-one", "REAL", "REAL, β = 0.1", "logistic"]
    assert [row["name"] for row in table["rows"]] == names
    assert {row["name"] for row in table["rows"] if not row["differences"]} == {"REAL"}
    pictures = {path.stem for path in (whole / "report").glob("*.png")}
    assert {"learning-curves", "reward-curves", "warm-up-curves", "refinement-weight"} <= pictures
    assert {"histograms-test-in-domain", "predicted-test-unseen-generators"} <= pictures
    assert pictures == {path.stem for path in (whole / "report").glob("*.svg")}


def test_a_decoded_row_is_scored_by_its_likeliest_digit(whole: Path) -> None:
    path = whole / lines(whole)["ce-decode", 0]["predictions"]
    for predicted in read_predictions(path).values():
        assert predicted.items.digit_NK is not None
        assert set(predicted.items.digit_NK.ravel().tolist()) == {0.0, 1.0}
        assert (predicted.items.score_N == predicted.items.score_N.round()).all()


def test_a_shared_part_is_trained_once_and_taken_over(whole: Path) -> None:
    parts = whole / "seed-0" / "parts"
    assert {path.name for path in parts.iterdir()} == {"first", "second"}
    trained = [path.parent for path in whole.rglob("1-regression/log.jsonl")]
    assert trained == [parts / "first" / "1-regression"]
    real = whole / "seed-0" / "rows" / "real"
    assert (real / "3-rollouts" / "log.jsonl").exists()
    taken = (real / "2-self_rationale" / "judge.safetensors").read_bytes()
    assert taken == (parts / "second" / "2-self_rationale" / "judge.safetensors").read_bytes()


def test_stopped_in_the_middle_and_gone_on_with_gives_the_same_runs(
    whole: Path, ablate: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of the first part, and again in the rollouts of the second row."""
    only = ["--seeds", 0, "--only", "tract", "--only", "real"]

    def stop_after(calls: int) -> None:
        forward, left = JudgeModel.forward, calls

        def stopping(self: JudgeModel, *inputs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return forward(self, *inputs)

        with monkeypatch.context() as patched:
            patched.setattr(JudgeModel, "forward", stopping)
            assert ablate(tmp_path, *only).exit_code != 0

    stop_after(1)
    assert not (tmp_path / "runs.jsonl").exists()
    stop_after(4)
    assert not (tmp_path / "runs.jsonl").exists()
    done = ablate(tmp_path, *only, "--json")
    assert done.exit_code == 0, done.output
    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["TRACT", "REAL"]
    expected = lines(whole)
    assert lines(tmp_path) == {key: expected[key] for key in (("tract", 0), ("real", 0))}


def test_what_is_finished_is_not_left(whole: Path, corpus: Path, recipe: Path) -> None:
    chosen, finished = plan(read_ablation_recipe(recipe)), RunLog(whole).read()
    assert left(chosen, corpus, finished, seeds=[0]) == []
    assert left(chosen, corpus, finished) == [Task(row, 1) for row in ROWS]
    assert left(chosen, corpus, finished[:2], seeds=[0], only=["real", "base"]) == [Task("real", 0)]


def test_what_cannot_be_run_is_a_typed_error(
    whole: Path, ablate: Callable[..., Any], recipe: Path, tmp_path: Path
) -> None:
    def refused(*arguments: object, recipe: Path = recipe, out: Path = tmp_path) -> str:
        error = ablate(out, *arguments, recipe=recipe).exception
        assert isinstance(error, ConfigurationError)
        return str(error)

    assert "no row is named 'reel'" in refused("--only", "reel")
    assert "seed 7" in refused("--seeds", 7)
    assert "no finished run" in refused("--report-only")
    for old, new, found in (
        ("seeds = ", "sedes = 1\nseeds = ", "'sedes'"),
        ('reference = "real"', 'reference = "rael"', "'rael'"),
        ('after = "second"\nmode = "full"\n\n', 'after = "third"\nmode = "full"\n\n', "'third'"),
        ("step_items = 2", "step_item = 2", "step_item"),
    ):
        wrong = tmp_path / "wrong.toml"
        wrong.write_text(recipe.read_text().replace(old, new, 1))
        assert found in refused(recipe=wrong)
    changed = tmp_path / "changed.toml"
    changed.write_text(recipe.read_text().replace("rollouts_G = 2", "rollouts_G = 4"))
    assert "finished with another recipe" in refused(recipe=changed, out=whole)
