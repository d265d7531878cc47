"""What a container's outermost structure claims, read without a decoder."""

import os
from typing import BinaryIO

# A size of all ones, or none, is how a muxer that cannot seek back says "until the end".
_RIFF_OPEN_ENDED = {0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF + 0x24, 0xFFFFFFFF - 0x24}


def missing_bytes(path: str, demuxer: str) -> int:
    """Bytes that the outermost structure promises beyond the end of the file; 0 if none.

    Known for ISO media (MP4, MOV), RIFF (AVI, WAV) and Matroska; 0 for formats that do not
    state their length.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - a descriptor path, not a name
        size = os.fstat(file.fileno()).st_size
        if demuxer == "mov":
            return _iso(file, size)
        if demuxer in ("avi", "wav"):
            return _riff(file, size)
        if demuxer == "matroska":
            return _matroska(file, size)
    return 0


def header_seconds(path: str, demuxer: str) -> float | None:
    """Duration that the movie header of ISO media states (ISO 14496-12, 8.2.2), or None.

    FFmpeg replaces it by the sum of the sample durations, which hides a header that lies.
    """
    if demuxer != "mov":
        return None
    with open(path, "rb") as file:  # noqa: PTH123 - a descriptor path, not a name
        size = os.fstat(file.fileno()).st_size
        position = 0
        while position + 8 <= size:
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if header[4:8] == b"moov":
                # The movie header comes first, or nearly so.
                return _movie_seconds(header[8:] + file.read(4096))
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                return None
            position += length
    return None


def _movie_seconds(moov: bytes) -> float | None:
    at = moov.find(b"mvhd")
    if at < 0 or at + 36 > len(moov):
        return None
    if moov[at + 4] == 1:
        scale, duration = int.from_bytes(moov[at + 24 : at + 28], "big"), moov[at + 28 : at + 36]
    else:
        scale, duration = int.from_bytes(moov[at + 16 : at + 20], "big"), moov[at + 20 : at + 24]
    units = int.from_bytes(duration, "big")
    if scale == 0 or units == 0 or set(duration) == {0xFF}:
        return None
    return units / scale


def _iso(file: BinaryIO, size: int) -> int:
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            return 0
        if length < 8:
            return 0
        position += length
    return max(0, position - size)


def _riff(file: BinaryIO, size: int) -> int:
    file.seek(0)
    if file.read(4) != b"RIFF":
        return 0
    missing, position = 0, 12
    file.seek(12)
    while position + 8 <= size:
        file.seek(position)
        header = file.read(8)
        length = int.from_bytes(header[4:8], "little")
        if length in _RIFF_OPEN_ENDED or not header[:4].isascii():
            break
        position += 8 + length
        missing = max(missing, position - size)
        position += length & 1
    return missing


def _matroska(file: BinaryIO, size: int) -> int:
    head = file.read(4096)
    start = head.find(b"\x18\x53\x80\x67")
    if start < 0 or start + 5 > len(head) or head[start + 4] == 0:
        return 0
    first = head[start + 4]
    width = 9 - first.bit_length()
    value = int.from_bytes(head[start + 4 : start + 4 + width], "big") & ((1 << (7 * width)) - 1)
    if value == (1 << (7 * width)) - 1:
        return 0
    return max(0, start + 4 + width + value - size)
