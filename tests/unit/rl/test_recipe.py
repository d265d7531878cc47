from pathlib import Path

import pytest

from moderation.errors import ConfigurationError
from rl.recipe import read_recipe

SHIPPED = sorted(
    p for p in Path("rl/recipes").glob("*.toml") if not p.name.startswith(("corpus-", "sources"))
)


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_shipped_recipes_parse(path: Path) -> None:
    assert read_recipe(path).judge.sequences


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[optimiser]", "[optimiser]\nstepps = 3", "optimiser.stepps"),
        ("batch_items = 8", "batch_items = 0", "optimiser.batch_items"),
        ("width = 128", 'width = "wide"', "judge.width"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = Path("rl/recipes/first.toml").read_text()
    assert old in text
    (tmp_path / "bad.toml").write_text(text.replace(old, new))
    with pytest.raises(ConfigurationError, match=named):
        read_recipe(tmp_path / "bad.toml")
