"""Readers on damaged and outsized files: noted, bounded or refused."""

from pathlib import Path

import pytest
from PIL import Image

from encoders.base import MediaReader, ReadLimits
from encoders.errors import CorruptMedia, LimitExceeded, MediaError, UnsupportedMedia
from encoders.formats import sniff
from encoders.readers import read
from encoders.readers.decord import DecordReader
from encoders.readers.pillow import PillowReader
from encoders.readers.pyav import PyAVReader
from tests.contract.test_readers import LIMITS, REQUEST
from tests.media_factory import SECONDS, photograph
from tests.media_patches import flip


def test_lies_of_the_header_are_told(good_media: dict[str, Path]) -> None:
    expected = {
        "hidden_packets": "can be shown",
        "over_reported": "the header claims 110 frames; 50 can be shown",
        "three_seconds": "the header claims 3.00 s; the content lasts 2.0",
    }
    for name, words in expected.items():
        media = read(str(good_media[name]), REQUEST, LIMITS)
        assert any(words in note for note in media.metadata.notes), (name, media.metadata.notes)
    honest = read(str(good_media["mp4"]), REQUEST, LIMITS)
    assert honest.metadata.notes == ()


def test_frames_beyond_the_end_are_planned_anew(good_media: dict[str, Path]) -> None:
    media = read(str(good_media["over_reported"]), REQUEST, LIMITS)
    assert media.frames is not None
    assert media.duration_seconds == pytest.approx(SECONDS, abs=0.05)
    assert len(media.frames.timestamps_seconds_F) == 8


@pytest.mark.parametrize("count", [1, 60])
def test_little_damage_is_noted_and_much_is_refused(
    count: int, tmp_path: Path, good_media: dict[str, Path]
) -> None:
    content = good_media["ts"].read_bytes()
    path = tmp_path / "damaged.ts"
    path.write_bytes(flip(content, count, (3000, len(content))))
    if count == 60:
        with pytest.raises(CorruptMedia, match="damaged"):
            read(str(path), REQUEST, LIMITS)
    else:
        assert read(str(path), REQUEST, LIMITS).frames is not None


def test_damage_that_pillow_paints_over_is_mostly_found(tmp_path: Path) -> None:
    path = tmp_path / "spotted.jpg"
    photograph(800, 600).save(path, quality=85)
    content = path.read_bytes()
    painted_over = found = 0
    for seed in range(8):
        path.write_bytes(flip(content, 20, (700, len(content) - 2), seed))
        try:
            Image.open(path).load()
        except OSError:
            continue
        painted_over += 1
        try:
            read(str(path), REQUEST, LIMITS)
        except CorruptMedia:
            found += 1
    assert painted_over >= 4
    assert found >= painted_over / 2


def test_picture_limits_name_the_size(good_media: dict[str, Path]) -> None:
    small = ReadLimits(pixels_max=1000)
    for name in ("mp4", "jpg", "gif", "heic"):
        with pytest.raises(LimitExceeded) as caught:
            read(str(good_media[name]), REQUEST, small)
        assert caught.value.limit == "pixels"


def test_output_is_bounded(good_media: dict[str, Path]) -> None:
    with pytest.raises(LimitExceeded) as caught:
        read(str(good_media["mp4"]), REQUEST, ReadLimits(output_bytes_max=100_000))
    assert caught.value.limit == "output_bytes"


def test_reading_stops_at_the_longest_duration(good_media: dict[str, Path]) -> None:
    media = read(str(good_media["mp4"]), REQUEST, ReadLimits(duration_seconds_max=1.0))
    assert media.duration_seconds <= 1.1
    assert any("the rest is not" in note for note in media.metadata.notes)


@pytest.mark.parametrize(
    ("reader", "name"), [(PillowReader(), "mp4"), (DecordReader(), "wav"), (PyAVReader(), "jpg")]
)
def test_readers_refuse_what_is_not_theirs(
    reader: MediaReader, name: str, good_media: dict[str, Path]
) -> None:
    with pytest.raises(MediaError):
        reader.read(str(good_media[name]), REQUEST, LIMITS)


@pytest.mark.parametrize(
    "head",
    [b"", b"\x7fELF", b"#EXTM3U\n", b"ffconcat version 1.0", b"%PDF-1.7", b"<svg>", b"PK\x03\x04"],
)
def test_other_content_is_not_on_the_list(head: bytes, tmp_path: Path) -> None:
    assert sniff(head) is None
    path = tmp_path / "film.mp4"
    path.write_bytes(head + b" " * 64)
    with pytest.raises(UnsupportedMedia):
        read(str(path), REQUEST, LIMITS)
