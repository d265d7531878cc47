"""How many bytes a container says it has and does not."""

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
