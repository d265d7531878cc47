"""A small corpus built from end to end, of media that the test writes."""

import hashlib
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moderation.errors import ConfigurationError
from rl.corpus import build as builder
from rl.corpus.build import build
from rl.corpus.codecs import film_bytes, jpeg_bytes, sound_bytes
from rl.corpus.contact_sheet import LAYOUTS, choose_rows, contact_sheet
from rl.corpus.manifest import read_manifest
from rl.corpus.recipe import CorpusRecipe, load_recipe
from rl.corpus.scenes import RATE_HZ, film, picture, voice
from rl.corpus.severity import score

RECIPE = """
name = "small"
seed = 5
gamma = 0.3
strength_min = 0.01

[images]
forgeries = ["self_blend", "splice", "inpaint", "resample"]
forgeries_per_clip = [1, 2]
side_pixels = [96, 128]
jpeg_quality = [70, 95]
rescale_probability = 0.5
rescale = [0.75, 0.95]
[[images.sources]]
name = "scenes"
origin = "the test"
licence = "CC0"
folder = "photos"
clips = 8
shares = { train = 0.4, validation = 0.2, test-in-domain = 0.4 }

[audio]
forgeries = ["world", "griffin_lim", "espeak-ng"]
forgeries_per_clip = [2, 2]
rate_hz = 8000
seconds = [1.0, 2.5]
noise_db = [40.0, 60.0]
lossy_probability = 0.5
mp3_kbps = [24.0, 32.0]
opus_kbps = [16.0, 24.0]
[[audio.sources]]
name = "digits-ada"
origin = "the test"
licence = "CC0"
kind = "digits"
split = "train"
language = "en"
speaker = "ada"
folder = "voices"
clips = 2
[[audio.sources]]
name = "digits-bob"
origin = "the test"
licence = "CC0"
kind = "digits"
split = "test-in-domain"
language = "en"
speaker = "bob"
folder = "voices"
clips = 1
[[audio.sources]]
name = "absent"
origin = "a package that is not here"
licence = "CC0"
kind = "prompts"
split = "validation"
language = "en"
folder = "nowhere"
clips = 1

[video]
forgeries = ["repeat", "warp", "region_shift"]
forgeries_per_clip = [1, 2]
seconds = [1.0, 1.2]
frames_per_second = [10.0, 15.0]
side_pixels = [80, 96]
crf = [20, 26]
soundtrack_probability = 1.0
forged_soundtrack_probability = 0.5
[[video.sources]]
name = "pan"
origin = "the test"
licence = "CC0"
split = "train"
path = "films/pan.mp4"
clips = 2
[[video.sources]]
name = "sweep"
origin = "the test"
licence = "CC0"
split = "test-in-domain"
path = "films/sweep.mp4"
clips = 1
"""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("media")
    for folder in ("photos", "voices", "films"):
        (root / folder).mkdir()
    for i in range(8):
        (root / "photos" / f"scene-{i}.jpg").write_bytes(jpeg_bytes(picture(i, 120, 160), 95))
    for person, (speaker, count) in enumerate((("ada", 14), ("bob", 7))):
        for i in range(count):
            sound = voice(i + 50 * person, 0.4)
            path = root / "voices" / f"{i % 10}_{speaker}_{i}.wav"
            path.write_bytes(sound_bytes(sound, RATE_HZ))
    for seed, name in enumerate(("pan", "sweep")):
        path = root / "films" / f"{name}.mp4"
        path.write_bytes(film_bytes(film(seed, frames=80, height=96, width=128), 25.0, 18))
    return root


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> CorpusRecipe:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(RECIPE)
    return load_recipe(path)


@pytest.fixture(scope="module")
def corpus(media: Path, recipe: CorpusRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus")
    build(recipe, out, [media])
    return out


def digest(folder: Path) -> dict[str, str]:
    files = [folder / "manifest.parquet", *sorted((folder / "media").rglob("*.*"))]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def by_pair(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    pairs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        pairs[row["pair_id"]].append(row)
    return pairs


def test_each_pair_is_one_genuine_file_and_its_forgeries_of_equal_length(corpus: Path) -> None:
    rows = read_manifest(corpus)
    assert {row["modality"] for row in rows} == {"image", "audio", "video"}
    for members in by_pair(rows).values():
        genuine = [row for row in members if not row["is_manipulated"]]
        assert len(genuine) == 1
        assert len(members) >= 2
        assert genuine[0]["y"] == 9.0
        assert genuine[0]["recipe"] == "genuine"
        assert len({row["duration_seconds"] for row in members}) == 1
        assert len({row["sha256"] for row in members}) == len(members)
        assert len({(row["source"], row["split"]) for row in members}) == 1


def test_labels_follow_severity_and_claims_lie_within_the_file(corpus: Path) -> None:
    for row in read_manifest(corpus):
        assert row["y"] == pytest.approx(score(row["m"]), abs=1e-4)
        assert row["is_manipulated"] == (row["m"] > 0)
        strengths = {claim["strength"] for claim in row["claims"]}
        assert (strengths == {"clean"}) == (not row["is_manipulated"])
        for claim in row["claims"]:
            assert 0.0 <= claim["start"] <= claim["end"] <= row["duration_seconds"] + 1e-3
            assert claim["cue"] == claim["cue"].lower()


def test_no_source_is_in_two_splits_and_names_do_not_tell_the_class(corpus: Path) -> None:
    splits: dict[str, set[str]] = defaultdict(set)
    for row in read_manifest(corpus):
        splits[row["source"]].add(row["split"])
        assert (corpus / row["path"]).is_file()
        assert row["recipe"] not in row["path"]
        assert len(Path(row["path"]).stem) == 16
    assert all(len(named) == 1 for named in splits.values())


def test_stopped_half_way_and_resumed_gives_the_same_bytes(
    corpus: Path,
    media: Path,
    recipe: CorpusRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = builder.build_pair
    seen: list[str] = []

    def stop_after_five(pair: Any, recipe: CorpusRecipe, folder: Path) -> Any:
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(pair.pair_id)
        return built(pair, recipe, folder)

    with monkeypatch.context() as patched:
        patched.setattr(builder, "build_pair", stop_after_five)
        with pytest.raises(KeyboardInterrupt):
            build(recipe, tmp_path, [media])
    assert not (tmp_path / "manifest.parquet").exists()
    resumed = build(recipe, tmp_path, [media])
    assert resumed.pairs_new == len(by_pair(read_manifest(corpus))) - 5
    assert digest(tmp_path) == digest(corpus)


def test_a_damaged_file_is_built_again_and_a_stale_one_goes(
    corpus: Path, media: Path, recipe: CorpusRecipe, tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(corpus, out)
    damaged = out / read_manifest(out)[0]["path"]
    damaged.write_bytes(b"")
    (out / "media" / "image" / "left-over.jpg").write_bytes(b"old")
    again = build(recipe, out, [media])
    assert again.pairs_new == 1
    assert digest(out) == digest(corpus)


def test_another_seed_gives_another_corpus(
    corpus: Path, media: Path, recipe: CorpusRecipe, tmp_path: Path
) -> None:
    other = recipe.model_copy(
        update={
            "seed": 6,
            "audio": recipe.audio.model_copy(update={"sources": ()}),
            "video": recipe.video.model_copy(update={"sources": ()}),
        }
    )
    build(other, tmp_path, [media])
    assert not set(digest(tmp_path).values()) & set(digest(corpus).values())


def test_two_processes_build_what_one_does(
    corpus: Path, media: Path, recipe: CorpusRecipe, tmp_path: Path
) -> None:
    build(recipe, tmp_path, [media], workers=2)
    assert digest(tmp_path) == digest(corpus)


def test_absent_sources_are_reported_and_only_no_source_at_all_is_fatal(
    media: Path,
    recipe: CorpusRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported = build(recipe, tmp_path / "some", [media]).left_out
    assert any("absent" in sentence and "not here" in sentence for sentence in reported)
    with pytest.raises(ConfigurationError, match="none of the sources"):
        build(recipe, tmp_path / "none", [tmp_path / "empty"])
    monkeypatch.delenv("MODERATION_SOURCES", raising=False)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    arguments = ("corpus", "build", "--recipe", path, "--out", tmp_path / "main")
    command = [sys.executable, "-m", "moderation", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--sources" in run.stderr


@pytest.mark.parametrize("modality", ["image", "audio", "video"])
def test_a_contact_sheet_shows_every_forgery(corpus: Path, modality: str) -> None:
    rows = [row for row in read_manifest(corpus) if row["modality"] == modality]
    layout = LAYOUTS[modality]
    sheet = np.asarray(contact_sheet(corpus, rows, modality))
    width, height = layout.block
    top = sheet.shape[0] % height
    for index in range(sum(row["is_manipulated"] for row in rows)):
        down, across = divmod(index, layout.columns)
        block = sheet[top + down * height :, across * width :][:height, :width]
        assert block.shape == (height, width, 3)
        for left, below in layout.places()[:2]:
            assert block[below:, left:][: layout.cell[1], : layout.cell[0]].std() > 5.0


def test_a_contact_sheet_is_spread_over_the_recipes(corpus: Path) -> None:
    rows = read_manifest(corpus)
    recipes = {row["recipe"] for row in rows if row["modality"] == "image"} - {"genuine"}
    chosen = choose_rows(rows, "image", len(recipes))
    assert {row["recipe"] for row in chosen if row["is_manipulated"]} == recipes
    pairs = {row["pair_id"] for row in chosen}
    assert {row["pair_id"] for row in chosen if not row["is_manipulated"]} == pairs
