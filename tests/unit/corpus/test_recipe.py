"""Recipes: the shipped one loads and keeps its sources apart; mistakes are named."""

from pathlib import Path

import pytest

from moderation.errors import ConfigurationError
from rl.corpus.recipe import load_recipe
from rl.corpus.samples import CUP, VOICE_NAME
from rl.corpus.seeds import seed_for, unit_for
from rl.corpus.sources import read_transcript

SHIPPED = Path(__file__).parents[3] / "rl" / "recipes" / "corpus-first.toml"


def test_the_shipped_recipe_keeps_each_speaker_and_film_in_one_split() -> None:
    recipe = load_recipe(SHIPPED)
    for sources in (recipe.audio.sources, recipe.video.sources):
        split_of: dict[str, str] = {}
        for source in sources:
            identity = getattr(source, "speaker", None) or source.name
            assert split_of.setdefault(identity, source.split) == source.split
        assert set(split_of.values()) == {"train", "validation", "test-in-domain"}


def test_the_shipped_recipe_leaves_the_demonstration_out() -> None:
    recipe = load_recipe(SHIPPED)
    assert CUP.path not in {source.path for source in recipe.video.sources}
    for source in recipe.audio.sources:
        if source.speaker == "june":
            assert VOICE_NAME in source.exclude
            assert source.split == "test-in-domain"


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(SHIPPED.read_text().replace("gamma = 0.3", "gamma = 0.3\ngama = 0.3"))
    with pytest.raises(ConfigurationError, match="gama"):
        load_recipe(path)


def test_an_unordered_range_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(SHIPPED.read_text().replace("[60, 95]", "[95, 60]"))
    with pytest.raises(ConfigurationError, match=r"images\.jpeg_quality"):
        load_recipe(path)


def test_no_recipe_is_an_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent"):
        load_recipe(tmp_path / "absent.toml")


def test_seeds_depend_on_the_parts_and_their_borders() -> None:
    assert seed_for(1, "a", "b") == seed_for(1, "a", "b")
    assert (
        len({seed_for("a", "b"), seed_for("ab"), seed_for("b", "a"), seed_for("a", "b", "")}) == 4
    )
    draws = [unit_for("draw", i) for i in range(2000)]
    assert 0.45 < sum(draws) / len(draws) < 0.55


def test_transcripts_are_read_with_comments_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "transcript.txt"
    path.write_bytes("\ufeff; heading: none\n\nhello: Bonjour: à tous.\n".encode())
    assert read_transcript(path) == {"hello": "Bonjour: à tous."}
