"""Real media of a few bytes, for data sets that a test writes."""

import io
import itertools
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from tests.media_factory import ffmpeg


def write_media(path: Path) -> None:
    """A file of the kind that its name ends in; no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_CONTENT[path.suffix.lower()](next(_NUMBERS)))


def touch(path: Path) -> None:
    """An empty file, for tests that read labels only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


_NUMBERS = itertools.count(1)


def _picture(number: int, form: str) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (24, 32, 3), np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, form)
    return target.getvalue()


def _wav(number: int) -> bytes:
    seconds = np.arange(3_200) / 8_000
    samples = (8_000 * np.sin(2 * np.pi * (200 + number) * seconds)).astype("<i2")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return target.getvalue()


def _flac(number: int) -> bytes:
    return _encoded(f"sine={200 + number}:r=8000:d=0.4", (), "tone.flac")


@cache
def _clip() -> bytes:
    sound = ("-f", "lavfi", "-i", "sine=440:r=8000:d=2")
    h264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return _encoded("testsrc2=s=64x48:r=10:d=2", (*sound, *h264, "-threads", "1"), "clip.mp4")


def _mp4(number: int) -> bytes:
    # A box that players skip (ISO/IEC 14496-12, 8.1.2) makes each copy another file.
    return _clip() + b"\x00\x00\x00\x10free" + number.to_bytes(8, "big")


def _encoded(source: str, more: tuple[str, ...], name: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        ffmpeg("-f", "lavfi", "-i", source, *more, str(path))
        return path.read_bytes()


_CONTENT: dict[str, Callable[[int], bytes]] = {
    ".png": lambda number: _picture(number, "PNG"),
    ".jpeg": lambda number: _picture(number, "JPEG"),
    ".wav": _wav,
    ".flac": _flac,
    ".mp4": _mp4,
}
