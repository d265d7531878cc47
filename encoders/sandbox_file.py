"""The file that a sandbox is asked to read, looked at before any decoder."""

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from encoders.errors import EmptyFile, TransientError, UnreadableFile


class OpenedFile:
    """A regular, non-empty file held open, so that what is hashed is what was checked.

    path: absolute, as bytes, since names need not be text. size_bytes: when opened.

    Raises:
        UnreadableFile: missing, forbidden, a link loop, no regular file, no valid name.
        EmptyFile: zero bytes.
    """

    def __init__(self, path: Path | str | bytes) -> None:
        shown = os.fsdecode(path).encode(errors="replace").decode()[:200]
        try:
            self.path = os.path.abspath(os.fsencode(path))  # noqa: PTH100 (bytes; keeps links)
            # Without O_NONBLOCK, opening a FIFO waits for a writer that may never come.
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreadableFile(
                f"{shown!r} cannot be opened: {reason}",
                expected="a regular file that this process may read",
                remedy="Check the path and its permissions.",
            ) from error
        self._status = os.fstat(self._descriptor)
        self.size_bytes = self._status.st_size
        if not stat.S_ISREG(self._status.st_mode):
            os.close(self._descriptor)
            raise UnreadableFile(
                f"{shown!r} is no regular file",
                expected="a regular file",
                remedy="Give the path of a media file, not of a folder, pipe, socket or device.",
            )
        if self.size_bytes == 0:
            os.close(self._descriptor)
            raise EmptyFile(
                f"{shown!r} has no bytes",
                expected="a media file",
                remedy="Send the file again; the upload may have been cut off.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes, streamed."""
        with os.fdopen(os.dup(self._descriptor), "rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def require_unchanged(self) -> None:
        """The decoder opened the path by itself; see that it met the same bytes.

        Raises: TransientError when the file was replaced or written to meanwhile.
        """
        now = None
        with contextlib.suppress(OSError):
            now = _identity(Path(os.fsdecode(self.path)).stat())
        if now != _identity(self._status):
            raise TransientError(
                "the file changed while it was read",
                expected="a file that is complete and left alone",
                remedy="Wait until it is written completely, then read it again.",
            )


def _identity(status: os.stat_result) -> tuple[int, int, int, int, int]:
    # The change time tells a rename away and back, which the others do not.
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
