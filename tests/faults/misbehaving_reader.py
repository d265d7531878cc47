"""A reader for the sandbox's child that does what the text of the file tells it to."""

import contextlib
import ctypes
import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import LimitExceeded, NoUsableMedia
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    FrameBatch,
    MediaMetadata,
    Modality,
    StreamInfo,
)

SECOND_READER = "pyav"


def _media(
    *, reader: str, frames: int = 1, side: int = 8, waveform: np.ndarray | None = None
) -> DecodedMedia:
    pixels = np.arange(frames * side * side * 3, dtype=np.uint8).reshape(frames, side, side, 3)
    return DecodedMedia(
        metadata=MediaMetadata(
            container="made", size_bytes=1, sha256="0" * 64, claimed=(), observed=(), reader=reader
        ),
        modality=Modality.VIDEO,
        duration_seconds=float(frames),
        frames=FrameBatch(pixels, np.arange(frames, dtype=np.float64), side, side),
        audio=None if waveform is None else AudioSamples(waveform, 16_000, 8_000),
    )


def _answer_stream() -> int:
    """Descriptor of the stream to the parent, found as hostile code would find it."""
    for descriptor in range(3, 128):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return descriptor
    raise AssertionError("no stream to the parent")


def _burn() -> None:
    while True:
        pass


def _allocate() -> None:
    held = []
    while True:
        held.append(np.ones(16 * 2**20, dtype=np.uint8))


def _write(text: bytes) -> None:
    os.write(_answer_stream(), text)
    os._exit(0)


def _framed(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


_PAINT = "\x1b[31m\u202e\ud800\n" + "x" * 3000


def _forged(order: str) -> DecodedMedia:
    """Values that honest readers never give; the wire has to refuse them."""
    media = _media(reader="made", waveform=np.zeros(16, dtype=np.float32))
    assert media.frames is not None
    assert media.audio is not None
    if order == "early":
        frames = replace(media.frames, timestamps_seconds_F=np.array([-1.0]))
        return replace(media, frames=frames)
    if order == "no-rate":
        return replace(media, audio=replace(media.audio, sample_rate_hz=0))
    if order == "no-measure":
        stream = StreamInfo("video", "made", duration_seconds=float("inf"))
        return replace(media, metadata=replace(media.metadata, claimed=(stream,)))
    painted = {"container": _PAINT, "reader": _PAINT, "notes": (_PAINT,), "tags": {_PAINT: _PAINT}}
    return replace(media, metadata=replace(media.metadata, **painted))


def read(
    path: str, request: ReadRequest, limits: ReadLimits, *, readers: tuple[str, ...] = ()
) -> DecodedMedia:
    order, _, argument = Path(path).read_text().partition(" ")
    if argument == "first" and readers == (SECOND_READER,):
        return _media(reader=SECOND_READER)
    if order == "sleep":
        time.sleep(1000)
    elif order == "burn":
        _burn()
    elif order == "allocate":
        _allocate()
    elif order == "fork":
        if os.fork() == 0:
            time.sleep(1000)
    elif order == "segfault":
        ctypes.string_at(0)
    elif order == "abort":
        os.abort()
    elif order == "exit":
        os._exit(3)
    elif order == "hang-up":
        os.close(_answer_stream())
        time.sleep(1000)
    elif order == "garbage":
        _write(b"\x00\x00\x00\x07garbage")
    elif order == "long-header":
        _write(b"\xff\xff\xff\xffgarbage")
    elif order == "answer":
        _write(_framed(argument.encode()))
    elif order == "claim":
        shape = [10**6, limits.frame_side_max, limits.frame_side_max, 3]
        _write(_framed(b'{"media":{"arrays":{"pixels_FHWC":%s}}}' % str(shape).encode()))
    elif order == "drip":
        os.write(_answer_stream(), (1000).to_bytes(4, "big"))
        while True:
            time.sleep(0.05)
            os.write(_answer_stream(), b" ")
    elif order == "nan":
        return _media(reader="made", waveform=np.array([0.0, np.nan], dtype=np.float32))
    elif order == "loud":
        return _media(reader="made", waveform=np.array([0.0, 1e30], dtype=np.float32))
    elif order in ("early", "no-rate", "no-measure", "paint"):
        return _forged(order)
    elif order == "painted":
        raise NoUsableMedia(_PAINT, expected=_PAINT, remedy=_PAINT)
    elif order == "too-much":
        return _media(reader="made", frames=limits.output_bytes_max // (1024**2 * 3) + 1, side=1024)
    elif order == "wide":
        return _media(reader="made", side=limits.frame_side_max + 1)
    elif order == "big":
        return _media(reader="made", frames=33, side=1024)
    elif order == "untyped":
        raise IndexError("list index out of range " + "x" * 10_000)
    elif order == "typed":
        raise NoUsableMedia("nothing in it", expected="a picture", remedy="Send another.")
    elif order == "limited":
        raise LimitExceeded("pixels", "10^9 pixels", expected="fewer", remedy="Reduce it.")
    waveform = np.linspace(-1, 1, 160, dtype=np.float32)
    return _media(reader="made", frames=2, waveform=waveform)
