"""Files that decode but hold too little to score, made for real and read as any other."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import NoUsableMedia
from encoders.readers import read
from encoders.readers.minimum import PICTURE_SIDE_MIN, SOUND_SECONDS_MIN
from encoders.sampling import Uniform
from tests.media_factory import ffmpeg

REQUEST, LIMITS = ReadRequest(Uniform()), ReadLimits()
RATE_HZ = 16_000


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def tone(count: int) -> np.ndarray:
    return 8000 * np.cos(2 * np.pi * 440 * np.arange(count) / RATE_HZ)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("one sample", tone(1)),
        ("nearly enough", tone(int(0.098 * RATE_HZ))),
        ("one sample in silence", np.eye(1, RATE_HZ, 1000)[0] * 8000),
    ],
)
def test_too_short_a_sound_is_refused(tmp_path: Path, name: str, samples: np.ndarray) -> None:
    path = write_wav(tmp_path / f"{name}.wav", samples)
    with pytest.raises(NoUsableMedia) as caught:
        read(str(path), REQUEST, LIMITS)
    assert f"at least {1000 * SOUND_SECONDS_MIN:g} ms" in caught.value.expected


def test_a_recording_of_a_sample_a_second_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(1)
        file.writeframes(tone(1000).astype("<i2").tobytes())
    with pytest.raises(NoUsableMedia, match="1 samples a second"):
        read(str(path), REQUEST, LIMITS)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_the_shortest_sound_allowed_is_read(tmp_path: Path, rate_hz: int) -> None:
    source = f"sine=440:r={rate_hz}:d={SOUND_SECONDS_MIN}"
    ffmpeg("-f", "lavfi", "-i", source, str(tmp_path / "tone.wav"))
    assert read(str(tmp_path / "tone.wav"), REQUEST, LIMITS).audio is not None


@pytest.mark.parametrize("size", [(1, 1), (15, 15), (15, 400), (400, 1)])
def test_too_small_a_picture_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "still.png"
    Image.new("RGB", size, (200, 10, 10)).save(path)
    with pytest.raises(NoUsableMedia) as caught:
        read(str(path), REQUEST, LIMITS)
    assert f"{size[0]}x{size[1]}" in caught.value.found
    assert f"at least {PICTURE_SIDE_MIN} pixels" in caught.value.expected


def test_a_strip_that_becomes_too_thin_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    Image.new("RGB", (20, 4000), (200, 10, 10)).save(path)
    with pytest.raises(NoUsableMedia, match="20x4000, read as 5x1024"):
        read(str(path), REQUEST, LIMITS)


def test_the_smallest_picture_allowed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "still.png"
    Image.new("RGB", (PICTURE_SIDE_MIN, PICTURE_SIDE_MIN), (200, 10, 10)).save(path)
    assert read(str(path), REQUEST, LIMITS).frames is not None


def test_a_tiny_film_is_refused_whatever_it_sounds_like(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=64x8:r=10:d=1", "-c:v", "ffv1"]
    ffmpeg("-f", "lavfi", "-i", "sine=440:d=1", *picture, str(path))
    with pytest.raises(NoUsableMedia, match="64x8"):
        read(str(path), REQUEST, LIMITS)
