from pathlib import Path

import pytest

from moderation.errors import ConfigurationError
from rl.recipe import read_recipe

SHIPPED = [Path(f"rl/recipes/{name}.toml") for name in ("gpu-7b", "smoke", "starter")]
TEXT = """
[judge]
name = "tiny"
backbone = "tiny"

[judge.sequences.clip]

[[stages]]
kind = "regression"
steps = 3

[[stages]]
kind = "rollouts"
steps = 3
step_items = 2
rollouts_G = 4

[stages.objective]
kind = "real"
"""


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_shipped_recipes_parse(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.judge.sequences
    assert recipe.stages


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "tiny"', 'nmae = "tiny"', "judge.name"),
        ('name = "tiny"', 'name = "tiny"\nwidth = "wide"', "judge.width"),
        ("[judge.sequences.clip]", "[judge.sequences.clip]\ntokens = 1", "clip.tokens"),
        ("[judge.sequences.clip]", "[judge.sequences]", "judge.sequences"),
        ('"regression"\nsteps = 3', '"regression"\nstepps = 3', "stages.0.regression.steps"),
        ('"regression"\nsteps = 3', '"regression"\nsteps = 0', "stages.0.regression.steps"),
        ('"regression"', '"regresion"', "stages.0"),
        ('"regression"', '"regression"\npatience = 2', "patience without validate_steps"),
        ("rollouts_G = 4", "rollouts_G = 1", "stages.1.rollouts.rollouts_G"),
        ("rollouts_G = 4", "rollouts_G = 4\nparts = 3", "parts = 3 does not divide"),
        ('kind = "real"', 'kind = "real"\nbeta = 1.0', "stages.1.rollouts.objective.real.beta"),
        ('kind = "real"', 'kind = "reel"', "stages.1.rollouts.objective"),
        ("[judge]", "[optimiser]\nsteps = 3\n[judge]", "optimiser"),
        ("[judge]", "[judge", "line 2"),
    ],
)
def test_a_wrong_key_is_named_with_its_remedy(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(TEXT)
    assert len(read_recipe(path).stages) == 2
    assert old in TEXT
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(ConfigurationError, match=named) as error:
        read_recipe(path)
    assert str(path) in error.value.found
    assert "Correct" in error.value.remedy
