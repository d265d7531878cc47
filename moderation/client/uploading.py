"""A file on its way to the server, in pieces that need not be sent twice."""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from moderation.client.errors import ApiError, ServerUnreachable
from moderation.client.transport import Transport
from moderation.client.types import Item, Upload
from moderation.errors import ManifestError

_PIECE_BYTES = 1 << 20
_RESUMES = 5


def upload(
    transport: Transport,
    path: Path,
    *,
    name: str,
    facts: Mapping[str, Any],
    progress: Callable[[int], None],
    sleep: Callable[[float], None],
) -> Item:
    """See `ModerationClient.upload`."""
    digest, size_bytes = _identity(path)
    key, last = uuid.uuid4().hex, None
    offset = progress_of(transport, digest, size_bytes)
    for tried in range(_RESUMES):
        progress(offset)
        headers = {
            "Idempotency-Key": key,
            "Upload-Length": str(size_bytes),
            "Upload-Offset": str(offset),
        }
        try:
            answer = transport.send(
                "PUT",
                f"/v1/uploads/{digest}",
                params={"name": name, **facts},
                content=partial(_pieces, path, offset, progress),
                headers=headers,
                tries=1,
            )
        except (ServerUnreachable, ApiError) as error:
            is_offset = isinstance(error, ApiError) and error.api_code in (
                "upload",
                "upload_busy",
            )
            if not (isinstance(error, ServerUnreachable) or is_offset):
                raise
            last = error
            sleep(0.25 * 2.0**tried)
            offset = progress_of(transport, digest, size_bytes)
            continue
        there = Upload.model_validate(answer.json())
        if there.item is not None:
            progress(size_bytes)
            return there.item
        offset = there.offset
    raise last or ServerUnreachable(
        f"an upload that stays at byte {offset}",
        expected=f"{size_bytes} bytes",
        remedy="Try again.",
    )


def progress_of(transport: Transport, sha256: str, size_bytes: int) -> int:
    """Bytes of an upload that are there and may be gone on from; 0: begin.

    A file that was handed in before is handed in anew: it makes an item of its own.
    """
    answer = transport.send("GET", f"/v1/uploads/{sha256}").json()
    there = Upload.model_validate(answer)
    # All of it, where the server ended between the last byte and the item.
    return there.offset if there.item is None and there.offset <= size_bytes else 0


def _identity(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = file.tell()
    except OSError as error:
        raise ManifestError(
            f"{path}: {error.strerror or error}", expected="a readable file", remedy="Name another."
        ) from error
    if size_bytes == 0:
        raise ManifestError(f"{path} is empty", expected="media", remedy="Name another file.")
    return digest, size_bytes


def _pieces(path: Path, offset: int, progress: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(_PIECE_BYTES):
            yield piece
            progress(file.tell())
