"""`moderation train-text` on a small model: every row, once."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from scipy.stats import pearsonr, spearmanr
from typer.testing import CliRunner, Result

from moderation.errors import ConfigurationError
from moderation.settings import Settings
from rl.commands.train_text import train_text_command
from rl.text_judge.dry_run import dry_run
from rl.text_judge.recipe import read_text_recipe
from tests.unit.judge.builders import write_backbone

from .text_items import items, write

RECIPE = """
seeds = [0, 1]

[judge]
backbone = "{backbone}"
rationale_tokens_max = 12

[data]
train = ["text/train.json"]
test = {{ held-out = "text/test.json" }}

[stages.tract]
kind = "regression"
steps = 30
batch_items = 4
rate = 1e-2
full_share = 0.5

[stages.real]
kind = "rollouts"
steps = 2
step_items = 2
rollouts_G = 2
rate = 1e-3

[stages.real.objective]
kind = "real"

[[rows]]
name = "base"
mode = "fast"

[[rows]]
name = "TRACT"
stages = ["tract"]
mode = "full"

[[rows]]
name = "REAL"
stages = ["tract", "real"]
mode = "full"
"""


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(train_text_command)
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def arguments(tmp_path: Path) -> list[Any]:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(backbone=write_backbone(tmp_path / "backbone")))
    write(tmp_path / "text" / "train.json", 12)
    write(tmp_path / "text" / "test.json", 10)
    told = ["--recipe", recipe, "--sources", tmp_path, "--device", "cpu"]
    return [*told, "--out", tmp_path / "out", "--json"]


def test_rows_are_trained_tested_and_reported_once(arguments: list[Any], tmp_path: Path) -> None:
    first = run(*arguments)
    found = json.loads(first.stdout)["held-out"]
    assert (found["items"], found["questions"]) == (10, 5)
    assert list(found["rows"]) == ["base", "TRACT", "REAL"]
    assert set(found["differences"]) == {"REAL less base", "REAL less TRACT"}
    out = tmp_path / "out"
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    assert [(r["row"], r["seed"]) for r in rows] == [
        (name, seed) for seed in (0, 1) for name in ("base", "TRACT", "REAL")
    ]
    assert len(list(out.glob("*-tract"))) == len(list(out.glob("*-real"))) == 2

    y = [item.y for item in items(tmp_path / "again", 10)]
    expected = [
        [sum(k * p for k, p in enumerate(p_K)) for p_K in row["p"]["held-out"]]
        for row in rows
        if row["row"] == "REAL"
    ]
    shown = found["rows"]["REAL"]
    by_hand = [[measure(one, y).statistic for one in expected] for measure in (pearsonr, spearmanr)]
    assert shown["pearson"]["value"] == pytest.approx(sum(by_hand[0]) / 2, abs=1e-6)
    assert shown["spearman"]["value"] == pytest.approx(sum(by_hand[1]) / 2, abs=1e-6)
    assert shown["pearson"]["low"] <= shown["pearson"]["value"] <= shown["pearson"]["high"]

    # A half-written line, as a killed run leaves it, and a second run: nothing is done again.
    with (out / "rows.jsonl").open("a") as stream:
        stream.write('{"row": "REA')
    before = {p: p.stat().st_mtime_ns for p in out.glob("*/adapter.safetensors")}
    assert run(*arguments).stdout == first.stdout
    assert {p: p.stat().st_mtime_ns for p in out.glob("*/adapter.safetensors")} == before
    assert len((out / "rows.jsonl").read_text().splitlines()) == 6


def test_a_seed_runs_alone(arguments: list[Any], tmp_path: Path) -> None:
    run(*arguments, "--seeds", 1, "--seeds", 1)
    rows = [json.loads(one) for one in (tmp_path / "out" / "rows.jsonl").read_text().splitlines()]
    assert [(row["row"], row["seed"]) for row in rows] == [
        (name, 1) for name in ("base", "TRACT", "REAL")
    ]
    with pytest.raises(ConfigurationError, match="seed 2 is none of the recipe's"):
        run(*arguments, "--seeds", 2)


def test_missing_data_say_how_to_get_them(arguments: list[Any], tmp_path: Path) -> None:
    (tmp_path / "text" / "test.json").unlink()
    with pytest.raises(ConfigurationError, match=r"text/test\.json is in none") as error:
        run(*arguments)
    assert "corpus fetch" in str(error.value)


@pytest.mark.parametrize("name", ["mt-bench", "feedback-bench"])
def test_shipped_recipes_parse_and_end_with_real(name: str) -> None:
    recipe = read_text_recipe(Path(f"rl/recipes/{name}.toml"))
    rows = [row.name for row in recipe.rows]
    assert rows[-4:] == ["RAFT", "TRACT", "0/1 RL", "REAL"]
    assert "mt-bench" in recipe.data.test


def test_the_paper_s_setting_fits_one_gpu_of_80_gigabytes() -> None:
    found = dry_run(Path("rl/recipes/feedback-bench.toml"), Settings.load(offline=True))
    # 7.24 B, as the model's card gives it.
    assert found.parameters.frozen == 7_241_732_096
    assert found.parameters.projectors == 0
    assert found.peak_bytes < 0.8 * 80e9


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('stages = ["tract", "real"]', 'stages = ["tact"]', "names stage 'tact'"),
        ('name = "REAL"', 'name = "TRACT"', "two rows have one name"),
        ("rollouts_G = 2", "rollouts_G = 2\nparts = 3", "does not divide"),
        ("[data]", "[data]\nextra = 1", "data.extra"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(backbone="x").replace(old, new))
    with pytest.raises(ConfigurationError, match=told):
        read_text_recipe(path)
