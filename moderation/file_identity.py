"""What a file is, by its bytes."""

import hashlib
import os
import stat
from pathlib import Path

Identity = tuple[int, ...]


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a regular file's bytes, in hexadecimal; None where it cannot be read."""
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def is_filled_file(path: Path) -> bool:
    """Whether a regular file with bytes in it lies there for us to read; opens nothing."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0 and os.access(path, os.R_OK)


def stat_identity(path: Path) -> Identity | None:
    """Changes whenever the file at `path` is replaced or written to; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    # The change time tells a rename away and back, which the others do not.
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)
