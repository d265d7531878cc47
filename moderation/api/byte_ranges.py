"""One stretch of a file's bytes, as RFC 9110 asks for it, section 14."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response
from fastapi.responses import StreamingResponse

from moderation.errors import PermanentError

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class RangeRefused(PermanentError):
    """A stretch that begins behind the last byte."""

    code = "range_not_satisfiable"

    def __init__(
        self, found: str, *, expected: str, remedy: str, size_bytes: int | None = None
    ) -> None:
        super().__init__(found, expected=expected, remedy=remedy)
        self.size_bytes = size_bytes


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included, 0 <= first <= last."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def byte_range(header: str, size_bytes: int) -> ByteRange | None:
    """What a `Range` header asks for; None for all of it: several stretches, or none understood.

    Raises:
        RangeRefused: nothing of it is in a file of `size_bytes` bytes.
    """
    match = _RANGE.fullmatch(header)
    if match is None or not any(match.groups()):
        return None
    start, end = match.groups()
    if start and end and int(start) > int(end):
        return None
    first = int(start) if start else max(0, size_bytes - int(end))
    last = min(int(end), size_bytes - 1) if start and end else size_bytes - 1
    if first > last:
        raise RangeRefused(
            f"{header.strip()[:80]!r} of a file of {size_bytes} bytes",
            expected="a stretch that begins within the file",
            remedy="Ask for the beginning: the answer says how long the file is.",
            size_bytes=size_bytes,
        )
    return ByteRange(first, last)


def file_response(
    path: Path,
    *,
    range_header: str | None,
    if_range: str | None,
    etag: str,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """A file, or a stretch of it, read piece by piece as it is sent.

    etag: strong, with its quotes. A stretch is asked for under `if_range` only of that version.

    Raises:
        FileNotFoundError: it is gone.
        RangeRefused: see `byte_range`.
    """
    size_bytes = path.stat().st_size
    asked = None
    if range_header is not None and if_range in (None, etag):
        asked = byte_range(range_header, size_bytes)
    told = {**headers, "Accept-Ranges": "bytes", "ETag": etag}
    sent = ByteRange(0, size_bytes - 1) if asked is None else asked
    told["Content-Length"] = str(sent.length)
    if asked is not None:
        told["Content-Range"] = f"bytes {asked.first}-{asked.last}/{size_bytes}"
    status = 200 if asked is None else 206
    return StreamingResponse(_pieces(path, sent), status, told, media_type)


def _pieces(path: Path, sent: ByteRange) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(sent.first)
        left = sent.length
        while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
            left -= len(piece)
            yield piece
