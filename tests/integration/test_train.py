"""`moderation train` with the smoke recipe: real files, real encoders, all kinds of stages."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from moderation.errors import ConfigurationError
from moderation.judge.artefact import read_description
from rl.commands.evaluate import evaluate_command
from rl.commands.train import train_command
from rl.corpus.manifest import write_manifest
from rl.recipe import read_recipe
from tests.unit.probes.small_corpus import write_corpus

pytestmark = pytest.mark.weights

SMOKE = Path("rl/recipes/smoke.toml")
train_app, evaluate_app = typer.Typer(), typer.Typer()
train_app.command()(train_command)
evaluate_app.command()(evaluate_command)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pairs of voices and four of pictures, one of each to validate on and one to test on."""
    folder = tmp_path_factory.mktemp("corpus")
    splits = {0: "train", 1: "train", 2: "validation", 3: "test"}
    rows = []
    for row in write_corpus(folder):
        pair = int(row["pair_id"].rpartition("/")[2])
        if pair in splits:
            rows.append({"recipe": "made", "generator": "", **row, "split": splits[pair]})
    write_manifest(rows, folder)
    return folder


def train(corpus: Path, out: Path, recipe: Path = SMOKE) -> Result:
    asked = ["--recipe", recipe, "--corpus", corpus, "--out", out, "--device", "cpu"]
    return CliRunner().invoke(train_app, [str(a) for a in asked])


def test_the_smoke_recipe_trains_a_judge_that_scores(corpus: Path, tmp_path: Path) -> None:
    done = train(corpus, tmp_path)
    assert done.exit_code == 0, done.output
    stages = read_recipe(SMOKE).stages
    assert {stage.kind for stage in stages} == {
        "cross_entropy",
        "regression",
        "self_rationale",
        "rollouts",
    }
    for number, stage in enumerate(stages, start=1):
        lines = (tmp_path / f"{number}-{stage.kind}" / "log.jsonl").read_text().splitlines()
        assert max(json.loads(line)["step"] for line in lines) >= min(stage.steps, 2)
    description = read_description(tmp_path / "judge")
    assert description.provenance["stages"] == [stage.kind for stage in stages]
    before = (tmp_path / "judge" / "projectors.safetensors").read_bytes()

    again = train(corpus, tmp_path)
    assert again.exit_code == 0, again.output
    assert again.output.count("is finished") == len(stages)
    assert (tmp_path / "judge" / "projectors.safetensors").read_bytes() == before

    asked = ["--corpus", corpus, "--split", "test", "--judge", tmp_path / "judge", "--quick"]
    scored = CliRunner().invoke(evaluate_app, [str(a) for a in [*asked, "--draws", 5, "--json"]])
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.stdout)["metrics"]


def test_a_changed_recipe_is_refused(corpus: Path, tmp_path: Path) -> None:
    text = SMOKE.read_text()
    one = text[: text.index("[[stages]]", text.index("[[stages]]") + 1)]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(one)
    assert train(corpus, tmp_path / "out", recipe).exit_code == 0
    recipe.write_text(one.replace("batch_items = 4", "batch_items = 3"))
    refused = train(corpus, tmp_path / "out", recipe)
    assert isinstance(refused.exception, ConfigurationError)
    assert "begun with another recipe" in str(refused.exception)
