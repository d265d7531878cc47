"""Recipes: the shipped one loads and keeps its sources apart; mistakes are named."""

from collections import defaultdict
from pathlib import Path

import pytest

from moderation.errors import ConfigurationError
from rl.corpus.recipe import SPLITS, load_recipe
from rl.corpus.samples import CUP, VOICE_NAME
from rl.corpus.seeds import seed_for, unit_for
from rl.corpus.source_list import load_sources
from rl.corpus.sources import read_transcript

RECIPES = Path(__file__).parents[3] / "rl" / "recipes"
SHIPPED = RECIPES / "corpus-starter.toml"
ALL_SHIPPED = sorted(RECIPES.glob("corpus-*.toml"))


@pytest.mark.parametrize("path", ALL_SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_keeps_each_speaker_and_film_in_one_split(path: Path) -> None:
    recipe = load_recipe(path)
    for sources in (recipe.audio.sources, recipe.video.sources):
        split_of: dict[str, str] = {}
        for source in sources:
            identity = getattr(source, "speaker", None) or getattr(source, "subject", None)
            identity = identity or source.name
            assert split_of.setdefault(identity, source.split) == source.split
        assert {"train", "validation", "test-in-domain"} <= set(split_of.values())


def test_the_starter_recipe_has_every_split_in_every_section() -> None:
    recipe = load_recipe(SHIPPED)
    assert {source.split for source in recipe.audio.sources} == set(SPLITS)
    assert {source.split for source in recipe.video.sources} == set(SPLITS)
    assert {split for source in recipe.images.sources for split in source.shares} == set(SPLITS)
    for section in (recipe.images, recipe.audio, recipe.video):
        assert section.unseen_forgeries


def test_unseen_collections_are_in_no_other_split() -> None:
    recipe = load_recipe(SHIPPED)
    splits: dict[str, set[str]] = defaultdict(set)
    for source in (*recipe.audio.sources, *recipe.video.sources):
        splits[source.collection_name].add(source.split)
    for photographs in recipe.images.sources:
        splits[photographs.collection_name] |= set(photographs.shares)
    for found in splits.values():
        assert "test-unseen-sources" not in found or len(found) == 1
    # Unseen generators are measured on collections that training knows.
    for section in (recipe.audio, recipe.video):
        for source in section.sources:
            if source.split == "test-unseen-generators":
                assert "train" in splits[source.collection_name]


def test_the_starter_list_has_what_the_starter_recipe_names() -> None:
    recipe = load_recipe(SHIPPED)
    assert recipe.sources_list is not None
    listed = load_sources(RECIPES / recipe.sources_list)
    provided = [path for entry in listed.entries() for path in entry.provides]
    named = [source.folder for source in (*recipe.images.sources, *recipe.audio.sources)]
    named += [source.path for source in recipe.video.sources]
    named += [source.transcript for source in recipe.audio.sources if source.transcript]
    for path in named:
        assert any(path == known or path.startswith(f"{known}/") for known in provided), path
    for known in provided:
        assert any(path == known or path.startswith(f"{known}/") for path in named), known


@pytest.mark.parametrize("path", ALL_SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_leaves_the_demonstration_out(path: Path) -> None:
    recipe = load_recipe(path)
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
    path.write_text(SHIPPED.read_text().replace("[50, 95]", "[95, 50]"))
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
