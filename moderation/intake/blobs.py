"""Uploaded bytes, kept by their SHA-256.

`blobs/ab/abcd…` is a whole file, and never changes. `parts/…` is what has come of one so far.
Names that senders give touch no file. A file is flushed to disk before it gets its name, so that
what has a name is whole, whenever the machine stops.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from moderation.errors import OutputError
from moderation.intake.errors import UploadBusy, UploadError, UploadTooLarge
from moderation.intake.types import is_sha256

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are in the folder; is_new: they were not there before this upload."""

    sha256: str
    size_bytes: int
    is_new: bool


def media_name(sha256: str) -> str:
    """The file of these bytes, within the folder of blobs.

    Raises:
        ValueError: it is no SHA-256.
    """
    if not is_sha256(sha256):
        raise ValueError(f"{sha256[:80]!r} is no SHA-256 in lower-case hexadecimal")
    return f"{sha256[:2]}/{sha256}"


class BlobStore:
    """A folder of uploads. bytes_max: the most that one of them may have."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self.media = folder / "blobs"
        self.materials = folder / "materials"
        self._parts = folder / "parts"
        self._lock = folder / "erasure.lock"
        self.bytes_max = bytes_max
        try:
            for one in (self.media, self._parts):
                one.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritten(error) from error

    def path(self, sha256: str) -> Path:
        """Where these bytes are, or would be."""
        return self.media / media_name(sha256)

    def has(self, sha256: str) -> bool:
        """Whether these bytes are there, whole."""
        return self.path(sha256).is_file()

    def upload(self, *, sha256: str | None = None) -> "Upload":
        """A new upload in one go. sha256: that its sender declares, if any.

        A context manager: what is not finished by its end is dropped.

        Raises:
            OutputError: the disk does not take it.
        """
        self._require_digest(sha256)
        part = self._parts / f"{secrets.token_hex(16)}.once"
        return Upload(self, part, sha256, keeps_part=False)

    def resume(self, owner: str, sha256: str, *, offset: int) -> "Upload":
        """Go on with an upload of declared bytes; what comes is kept even if it ends early.

        owner: who sends it; nobody can add to the part of another. offset: where the sender goes
        on, which is `there(owner, sha256)`.

        Raises:
            UploadBusy: it is being sent right now.
            UploadError: the offset is another one.
            OutputError: the disk does not take it.
        """
        self._require_digest(sha256)
        return Upload(self, self._part(owner, sha256), sha256, keeps_part=True, offset=offset)

    def there(self, owner: str, sha256: str) -> int:
        """How many bytes of a declared upload have come so far."""
        self._require_digest(sha256)
        try:
            return self._part(owner, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def sweep(self, *, before: datetime) -> int:
        """Drop parts that nobody has added to since `before`; how many."""
        dropped = 0
        for part in self._parts.iterdir():
            with suppress(FileNotFoundError, UploadBusy):
                if part.stat().st_mtime < before.timestamp():
                    with part.open("rb") as file:
                        _lock(file)
                        part.unlink()
                        dropped += 1
        return dropped

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Nothing is erased while this is held: from an upload to the commit of its item."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """No item is taken in while this is held: from the plan of an erasure to its end."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        with self._lock.open("ab") as file:
            fcntl.flock(file, kind)
            yield

    def _part(self, owner: str, sha256: str) -> Path:
        name = hashlib.sha256(f"{owner}\0{sha256}".encode(errors="backslashreplace")).hexdigest()
        return self._parts / f"{name}.part"

    def _require_digest(self, sha256: str | None) -> None:
        if sha256 is not None and not is_sha256(sha256):
            raise UploadError(
                f"{sha256[:80]!r} as SHA-256",
                expected="64 lower-case hexadecimal digits",
                remedy="Declare the SHA-256 of the file's bytes.",
            )


class Upload:
    """Bytes on their way in: `write` them, then `finish`. One writer at a time."""

    def __init__(
        self,
        store: BlobStore,
        part: Path,
        sha256: str | None,
        *,
        keeps_part: bool,
        offset: int = 0,
    ) -> None:
        self._store, self._part, self._declared = store, part, sha256
        self._keeps_part = keeps_part
        self._is_over = False
        try:
            self._file = part.open("ab+")
        except OSError as error:
            raise _unwritten(error) from error
        try:
            _lock(self._file)
            _require_still(self._file, part)
            self._digest, self.size_bytes = _read(self._file)
            if offset != self.size_bytes:
                raise UploadError(
                    f"bytes from {offset} on",
                    expected=f"bytes from {self.size_bytes} on, which is what is there",
                    remedy="Ask how much is there, and send the rest.",
                )
        except BaseException:
            self._file.close()
            raise

    def write(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            UploadTooLarge: more than the store takes; nothing of the upload is kept.
            OutputError: the disk does not take them.
        """
        if self.size_bytes + len(chunk) > self._store.bytes_max:
            self._drop()
            raise UploadTooLarge(
                f"an upload of more than {self._store.bytes_max} bytes",
                expected=f"at most {self._store.bytes_max} bytes",
                remedy="Send a smaller file, or raise MODERATION_UPLOAD_BYTES_MAX.",
            )
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _unwritten(error) from error
        self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def finish(self) -> Blob:
        """Give the bytes their name.

        Raises:
            UploadError: they are not those that were declared; nothing of them is kept.
            OutputError: the disk does not take them.
        """
        sha256 = self._digest.hexdigest()
        if self._declared is not None and sha256 != self._declared:
            self._drop()
            raise UploadError(
                f"{self.size_bytes} bytes with the SHA-256 {sha256}",
                expected=f"the SHA-256 {self._declared}, as declared",
                remedy="Send the file again, from its first byte on.",
            )
        target = self._store.path(sha256)
        is_new = not target.exists()
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            target.parent.mkdir(exist_ok=True)
            self._part.replace(target)
            for folder in (target.parent, target.parent.parent):
                _flush_folder(folder)
        except OSError as error:
            raise _unwritten(error) from error
        self._is_over = True
        return Blob(sha256, self.size_bytes, is_new)

    def _drop(self) -> None:
        self._is_over = True
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._file.flush()
        if not self._is_over and not self._keeps_part:
            self._drop()
        with suppress(OSError):
            self._file.close()


def _read(file: BinaryIO) -> "tuple[hashlib._Hash, int]":
    """Hash and length of what is there already."""
    digest, size_bytes = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(_READ_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    return digest, size_bytes


def _require_still(file: BinaryIO, part: Path) -> None:
    """Between opening and locking another sender may have finished: the bytes are a blob by now."""
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(file.fileno()), part.stat()):
            return
    raise _busy()


def _lock(file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _busy() from error


def _busy() -> UploadBusy:
    return UploadBusy(
        "an upload that is being sent at this moment",
        expected="one sender at a time",
        remedy="Wait for the other one, and ask how much is there.",
    )


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritten(error: OSError) -> OutputError:
    remedy = "Make room, or correct the permissions of MODERATION_DATA_DIR; then send it again."
    return OutputError.of(error, "an upload", remedy=remedy)
