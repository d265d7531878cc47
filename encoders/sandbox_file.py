"""The file that a sandbox is asked to read, looked at before any decoder."""

import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from encoders.errors import EmptyFile, LimitExceeded, TransientError, UnreadableFile
from encoders.sandbox_wire import Deadline

_CHUNK = 1 << 20


class OpenedFile:
    """A regular, non-empty file held open: what is hashed and decoded is what was checked.

    descriptor: of the file, for reading. size_bytes: when opened.

    Raises:
        UnreadableFile: missing, forbidden, a link loop, no regular file, no valid name.
        EmptyFile: zero bytes.
        LimitExceeded: more than `bytes_max`.
    """

    def __init__(self, path: Path | str | bytes, *, bytes_max: int) -> None:
        self._shown = os.fsdecode(path).encode(errors="replace").decode()[:200]
        try:
            # To open a pipe waits for its writer, and to open a device may start something:
            # O_PATH finds out what there is without either.
            found = os.open(os.fsencode(path), os.O_PATH | os.O_CLOEXEC)
            try:
                self._status = os.fstat(found)
                self.size_bytes = self._status.st_size
                self._require_media_file(bytes_max)
                flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
                self.descriptor = os.open(f"/proc/self/fd/{found}", flags)
            finally:
                os.close(found)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreadableFile(
                f"{self._shown!r} cannot be opened: {reason}",
                expected="a regular file that this process may read",
                remedy="Check the path and its permissions.",
            ) from error

    def _require_media_file(self, bytes_max: int) -> None:
        if not stat.S_ISREG(self._status.st_mode):
            raise UnreadableFile(
                f"{self._shown!r} is no regular file",
                expected="a regular file",
                remedy="Give the path of a media file, not of a folder, pipe, socket or device.",
            )
        if self.size_bytes == 0:
            raise EmptyFile(
                f"{self._shown!r} has no bytes",
                expected="a media file",
                remedy="Send the file again; the upload may have been cut off.",
            )
        if self.size_bytes > bytes_max:
            raise LimitExceeded(
                "file_bytes",
                f"{self._shown!r} has {self.size_bytes} bytes",
                expected=f"at most file_bytes_max = {bytes_max}",
                remedy="Send a shorter or more compressed copy, or raise the limit.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)

    def sha256(self, deadline: Deadline) -> str:
        """Hexadecimal SHA-256 of the bytes.

        Raises:
            TransientError: `deadline` passed first, or the file changed its size meanwhile.
        """
        digest = hashlib.sha256()
        done = 0
        try:
            # One byte more than there should be: a file that grows is not followed for ever.
            while chunk := os.pread(self.descriptor, min(_CHUNK, self.size_bytes + 1 - done), done):
                digest.update(chunk)
                done += len(chunk)
                deadline.remaining_seconds()
        except TimeoutError:
            raise TransientError(
                f"{done} of the file's {self.size_bytes} bytes were read in the time allowed",
                expected="all of them within wall_seconds",
                remedy="Copy the file to a faster disk, or raise the limit.",
            ) from None
        except OSError as error:
            raise UnreadableFile(
                f"{self._shown!r} cannot be read: {error.strerror}",
                expected="a file whose bytes the disk gives out",
                remedy="Check the disk or the connection, then fetch the file again.",
            ) from error
        if done != self.size_bytes:
            raise _changed()
        return digest.hexdigest()

    def require_unchanged(self) -> None:
        """The decoder read by itself; see that it met the bytes that were hashed.

        Raises: TransientError when the file was written to meanwhile.
        """
        if _identity(os.fstat(self.descriptor)) != _identity(self._status):
            raise _changed()


def _changed() -> TransientError:
    return TransientError(
        "the file changed while it was read",
        expected="a file that is complete and left alone",
        remedy="Wait until it is written completely, then read it again.",
    )


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    # The change time tells a write whose modification time was set back.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
