"""`moderation train --dry-run` on the recipe that this machine cannot run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moderation.errors import ConfigurationError
from moderation.settings import Settings
from rl.commands.dry_run_view import show
from rl.commands.train import train_command
from rl.dry_run import DryRun, dry_run
from rl.recipe import read_recipe

RECIPE = Path("rl/recipes/gpu-7b.toml")


@pytest.fixture(scope="module")
def found() -> DryRun:
    return dry_run(RECIPE, Settings.load(offline=True))


def test_the_7b_judge_fits_one_gpu_of_80_gigabytes_with_a_fifth_to_spare(found: DryRun) -> None:
    assert found.parameters.frozen == 7_615_616_512
    assert set(found.encoder_parameters) == {"clip", "whisper", "forensic"}
    assert found.standing.frozen_weights == 2 * found.parameters.frozen
    assert list(found.steps) == ["1-regression", "2-self_rationale", "3-rollouts"]
    assert 16e9 < found.peak_bytes < 0.8 * 80e9


def test_devices_share_the_rollouts_and_not_the_weights(found: DryRun) -> None:
    shared = dry_run(RECIPE, Settings.load(offline=True), devices=4)
    assert shared.standing == found.standing
    one, quarter = found.steps["3-rollouts"], shared.steps["3-rollouts"]
    assert quarter.key_value_cache == one.key_value_cache / 4
    assert quarter.activations == one.activations / 4
    assert shared.steps["1-regression"] == found.steps["1-regression"]


def test_the_table_and_the_json_say_the_same(
    found: DryRun, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    show(found, Console(width=100))
    table = capsys.readouterr().out
    said = json.loads(json.dumps(found.as_json()))
    assert f"{said['parameters']['adapter']:,}" in table
    assert f"{said['peak_bytes'] / 2**30:.2f}" in table
    assert said["steps"]["3-rollouts"]["peak"] == found.steps["3-rollouts"].peak


def test_a_sequence_that_no_encoder_gives_is_named(tmp_path: Path) -> None:
    text = RECIPE.read_text().replace("judge.sequences.clip", "judge.sequences.smell")
    architectures = RECIPE.parent.resolve() / "architectures"
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace('"architectures/', f'"{architectures}/'))
    with pytest.raises(ConfigurationError, match=r"judge\.sequences\.smell"):
        dry_run(path, Settings.load(offline=True))


def test_its_encoders_are_options_of_the_plugins() -> None:
    recipe = read_recipe(RECIPE)
    assert recipe.encoders["clip"] == {"model": "ViT-L-14", "pretrained": "openai"}
    assert recipe.encoders["whisper"] == {"model": "large-v3"}


def test_training_without_a_corpus_is_a_typed_error() -> None:
    import typer

    app = typer.Typer()
    app.command()(train_command)
    result = CliRunner().invoke(app, ["--recipe", str(RECIPE)])
    assert isinstance(result.exception, ConfigurationError)
    assert "no --corpus" in str(result.exception)
