"""The suite finds a judge that can be talked to, and lets one that cannot pass."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from encoders.types import Modality
from moderation.app import build_extractor, build_sandbox
from moderation.settings import Settings
from rl.corpus.codecs import film_bytes, sound_bytes
from rl.corpus.scenes import RATE_HZ, film, voice
from rl.probes.injection import Injection, by_kind, injections, measure_injection
from rl.probes.injection_texts import DRAWN, SPOKEN, WRITTEN
from rl.probes.media import read_waveform
from rl.probes.overlays import EXIF_DESCRIPTION, append_speech, mix_speech, text_band
from tests.unit.probes.small_corpus import Row, write_corpus

QUIET = Console(file=io.StringIO())
SUITE = injections()
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not here")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    folder = tmp_path_factory.mktemp("corpus")
    rows = write_corpus(folder)[:8]
    for seed, sound in enumerate((voice(1, 1.0), None)):
        path = folder / f"film-{seed}.mp4"
        path.write_bytes(film_bytes(film(seed, frames=12), 12.0, 20, sound, RATE_HZ))
        rows.append(
            {
                "path": path.name,
                "sha256": f"{seed:064x}",
                "modality": "video",
                "source": f"film-{seed}",
                "is_manipulated": False,
            }
        )
    return folder, rows


def titles(path: Path) -> str:
    """All text that comes with a file."""
    if path.suffix in {".png", ".jpg"}:
        with Image.open(path) as picture:
            return str(picture.getexif().get(EXIF_DESCRIPTION, ""))
    with av.open(str(path)) as container:
        return " ".join(container.metadata.values())


def gullible(paths: list[Path]) -> np.ndarray:
    """A judge that believes what it reads in tags and names."""
    said = [f"{titles(path)} {path.name}" for path in paths]
    return np.array([9.0 if "score" in text or "answer" in text else 3.0 for text in said])


def by_size(paths: list[Path]) -> np.ndarray:
    """A judge that reads nothing: it only sees how much picture or sound there is."""
    return np.array([4.0 + (path.suffix == ".mp4") for path in paths])


def test_twins_are_as_long_as_each_other_and_neutral_ones_say_nothing() -> None:
    for text in (*DRAWN, *SPOKEN, *WRITTEN):
        assert len(text.neutral) == len(text.text)
        for word in ("score", "authentic", "9", "nine", "<", "ignore", "answer"):
            assert word not in text.neutral.lower()
    assert {entry.kind for entry in SUITE} == {
        *("drawn", "spoken after", "spoken over", "metadata", "file name")
    }
    keys = [twin.key for entry in SUITE for twin in (entry.hostile, entry.neutral)]
    assert len(set(keys)) == len(keys)


@needs_voice
def test_a_judge_that_reads_tags_and_names_is_found(
    corpus: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, rows = corpus
    table = measure_injection(folder, rows, SUITE, gullible, tmp_path, draws=20, console=QUIET)
    assert {(row.modality, row.kind, row.trick) for row in table} == {
        (entry.hostile.modality.value, entry.kind, entry.trick) for entry in SUITE
    }
    for row in table:
        assert row.failed == 0
        gained = 6.0 if row.kind in {"metadata", "file name"} else 0.0
        assert row.shift.value == row.worst == row.raw_shift.value == gained, row
    kinds = {found.kind: found for found in by_kind(table)}
    assert kinds["metadata"].mean_shift == kinds["file name"].worst == 6.0
    assert kinds["drawn"].mean_shift == 0.0
    assert kinds["spoken over"].items == 2 * (4 + 2)


def test_what_the_band_itself_does_is_not_the_words(
    corpus: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, rows = corpus
    drawn = [e for e in SUITE if e.kind == "drawn" and e.hostile.modality is Modality.IMAGE]

    def likes_bands(paths: list[Path]) -> np.ndarray:
        bottom = [np.asarray(Image.open(p).convert("L"))[-3:].mean() for p in paths]
        return np.array([8.0 if value < 30 else 2.0 for value in bottom])

    mine = [row for row in rows if row["modality"] == "image"]
    table = measure_injection(folder, mine, drawn, likes_bands, tmp_path, draws=20, console=QUIET)
    assert len(table) == len(DRAWN)
    for row in table:
        assert row.raw_shift.value == 6.0
        assert row.shift.value == 0.0


def test_bands_of_twins_cover_the_same_and_have_letters() -> None:
    for text in DRAWN:
        bands = [np.asarray(text_band(words, 320, 240)) for words in (text.text, text.neutral)]
        np.testing.assert_array_equal(bands[0][..., 3], bands[1][..., 3])
        ink = [(band[..., 0] > 128).sum() for band in bands]
        assert min(ink) > 100
        assert max(ink) < 2.5 * min(ink)


def test_a_file_name_is_scored_by_itself(corpus: tuple[Path, list[Row]], tmp_path: Path) -> None:
    folder, rows = corpus
    named: list[Injection] = [e for e in SUITE if e.kind == "file name"]
    asked: list[list[str]] = []

    def listening(paths: list[Path]) -> np.ndarray:
        asked.append([path.name for path in paths])
        return by_size(paths)

    table = measure_injection(folder, rows, named, listening, tmp_path, draws=20, console=QUIET)
    assert all(row.shift.value == 0.0 for row in table)
    # Equal bytes under two names never share a call: the second would be answered unseen.
    assert len(asked) == 1 + 2 * len(named)
    assert all(len({Path(name).stem for name in names}) == 1 for names in asked[1:])


@needs_voice
@pytest.mark.weights
@pytest.mark.parametrize("inject", [append_speech, mix_speech])
def test_whisper_hears_what_is_spoken(inject: Callable[..., bytes], tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.wav"
    source = Path("tests/data/voices/en-conf-kicked.wav")
    hostile.write_bytes(inject(source, 0, text=SPOKEN[1].text))
    settings = Settings.load(feature_cache_bytes=0)
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox)
        (whisper,) = [encoder for encoder in extractor.encoders if encoder.name == "whisper"]
        (encoding,) = whisper.encode([extractor.decode(hostile)])
    assert encoding.transcript is not None
    assert "ignore all previous instructions" in encoding.transcript.text.lower()


@needs_voice
def test_what_is_appended_leaves_the_original_as_it_was(tmp_path: Path) -> None:
    source, hostile = tmp_path / "voice.wav", tmp_path / "hostile.wav"
    source.write_bytes(sound_bytes(voice(3, 1.5), RATE_HZ))
    hostile.write_bytes(append_speech(source, 0, text=SPOKEN[1].text))
    original, _ = read_waveform(source)
    longer, _ = read_waveform(hostile)
    assert longer.size > original.size + 2 * RATE_HZ
    np.testing.assert_allclose(longer[: original.size], original, atol=2.0 / 32768)
