"""Files that are there whole or not at all."""

import os
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, and rename over it."""
    _write(path, content, is_flushed=True)


def write_checked_bytes(path: Path, content: bytes) -> None:
    """The same without waiting for the disk: for files that their reader checks by hash.

    A power cut may leave such a file empty; an interrupted process does not.
    """
    _write(path, content, is_flushed=False)


def _write(path: Path, content: bytes, *, is_flushed: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with partial.open("wb") as file:
        file.write(content)
        if is_flushed:
            file.flush()
            os.fsync(file.fileno())
    partial.replace(path)
