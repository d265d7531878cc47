"""Recipes by path and by name."""

from pathlib import Path

import pytest

from rl.recipe import read_recipe
from rl.recipe_file import recipe_file


def test_a_shipped_recipe_is_found_by_its_name() -> None:
    assert read_recipe(recipe_file(Path("starter"))).judge.name == "starter"


def test_a_path_stays_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recipe_file(tmp_path / "starter.toml") == tmp_path / "starter.toml"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").touch()
    assert recipe_file(Path("starter")) == Path("starter")
