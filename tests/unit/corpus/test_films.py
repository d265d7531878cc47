"""Films among the sources: joined from stills, shorter than a window, two of one subject."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moderation.errors import ConfigurationError
from rl.corpus.clips import FilmPair
from rl.corpus.codecs import film_bytes, film_duration, read_frames
from rl.corpus.plan import plan
from rl.corpus.recipe import Audio, CorpusRecipe, FilmSource, Images, PhotoSource, Video
from rl.corpus.scenes import film
from rl.corpus.sources import film as find_film

COMMON = {"origin": "the test", "licence": "CC0", "clips": 3, "split": "train"}
STILLS = FilmSource(name="stills", path="stills/*.pgm", frames_per_second=20.0, **COMMON)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    root = tmp_path / "media"
    (root / "stills").mkdir(parents=True)
    for i, frame in enumerate(film(3, frames=60)):
        Image.fromarray(frame).convert("L").save(root / "stills" / f"image.{i:04d}.pgm")
    for name, frames in (("short", 40), ("blink", 15)):
        (root / f"{name}.mp4").write_bytes(film_bytes(film(4, frames=frames), 20.0, 20))
    return root


def recipe_of(*sources: FilmSource, photos: tuple[PhotoSource, ...] = ()) -> CorpusRecipe:
    images = Images(
        forgeries=("self_blend",),
        forgeries_per_clip=(1, 1),
        side_pixels=(64, 96),
        jpeg_quality=(70, 90),
        rescale_probability=0.0,
        rescale=(0.8, 0.9),
        sources=photos,
    )
    audio = Audio(
        forgeries=("world",),
        forgeries_per_clip=(1, 1),
        rate_hz=8000,
        seconds=(1.0, 2.0),
        noise_db=(40.0, 60.0),
        lossy_probability=0.0,
        mp3_kbps=(16.0, 32.0),
        opus_kbps=(16.0, 32.0),
    )
    video = Video(
        forgeries=("repeat",),
        forgeries_per_clip=(1, 1),
        seconds=(2.4, 2.6),
        frames_per_second=(10.0, 20.0),
        side_pixels=(64, 96),
        crf=(20, 24),
        soundtrack_probability=0.0,
        forged_soundtrack_probability=0.0,
        sources=sources,
    )
    return CorpusRecipe(
        name="films", seed=1, gamma=0.3, strength_min=0.0, images=images, audio=audio, video=video
    )


def films_of(recipe: CorpusRecipe, media: Path, cache: Path) -> tuple[list[FilmPair], list[str]]:
    laid_out = plan(recipe, [media], cache)
    pairs = [pair for pair in laid_out.pairs if isinstance(pair, FilmPair)]
    return pairs, list(laid_out.left_out)


def test_stills_become_a_film_without_loss_and_once(media: Path, tmp_path: Path) -> None:
    found = find_film(STILLS, [media], tmp_path / "cache")
    assert found is not None
    assert film_duration(found.path) == pytest.approx(3.0)
    frames, rate_hz = read_frames(found.path, 0.0, 3.0, (10.0, 20.0))
    assert rate_hz == pytest.approx(20.0)
    originals = [np.asarray(Image.open(p)) for p in sorted((media / "stills").iterdir())]
    assert np.abs(frames[..., 0].astype(int) - np.stack(originals)).max() <= 2
    written = found.path.stat().st_mtime_ns
    assert find_film(STILLS, [media], tmp_path / "cache") == found
    assert found.path.stat().st_mtime_ns == written


def test_other_stills_make_another_film(media: Path, tmp_path: Path) -> None:
    before = find_film(STILLS, [media], tmp_path / "cache")
    (media / "stills" / "image.0059.pgm").unlink()
    after = find_film(STILLS, [media], tmp_path / "cache")
    assert before is not None
    assert after is not None
    assert before.path != after.path
    assert find_film(STILLS, [tmp_path / "elsewhere"], tmp_path / "cache") is None


def test_a_window_is_no_longer_than_its_film(media: Path, tmp_path: Path) -> None:
    short = FilmSource(name="short", path="short.mp4", subject="a pan", **COMMON)
    pairs, left_out = films_of(recipe_of(short, STILLS), media, tmp_path / "cache")
    assert left_out == []
    for pair in pairs:
        assert pair.start_seconds + pair.seconds <= film_duration(pair.path)
    assert {pair.source for pair in pairs} == {"film/a pan", "film/stills"}


def test_a_film_of_a_blink_is_left_out_and_said(media: Path, tmp_path: Path) -> None:
    blink = FilmSource(name="blink", path="blink.mp4", **COMMON)
    pairs, left_out = films_of(recipe_of(blink, STILLS), media, tmp_path / "cache")
    assert {pair.source for pair in pairs} == {"film/stills"}
    assert left_out == ["film blink: lasts only 0.8 s"]


def test_a_section_without_any_media_is_an_error(media: Path, tmp_path: Path) -> None:
    photos = PhotoSource(name="gone", origin="the test", licence="CC0", clips=1, folder="nowhere")
    with pytest.raises(ConfigurationError, match=r"\[images\]"):
        plan(recipe_of(STILLS, photos=(photos,)), [media], tmp_path / "cache")
