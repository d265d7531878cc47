"""Reads media in a child process with limits, and kills the child when it overstays.

A decoder on hostile bytes may loop for ever, allocate without bound, crash, or be taken
over. Each file is therefore decoded by its own process, forked from a zygote that has the
decoders loaded; the parent keeps the clock, checks the answer, and hashes the bytes itself.
"""

import contextlib
import dataclasses
import hashlib
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import (
    DecoderCrashed,
    DecodeTimeout,
    EmptyFile,
    MediaError,
    TransientError,
    UnreadableFile,
)
from encoders.sandbox_wire import WireError, receive_media, request_to_json
from encoders.sandbox_zygote import Child, Zygote, ZygoteGone
from encoders.types import DecodedMedia

# The second child is asked only when the first was killed or crashed, which decord can do.
DEFAULT_ATTEMPTS: tuple[tuple[str, ...], ...] = (("pillow", "decord", "pyav"), ("pyav",))

_HASH_BLOCK_BYTES = 2**20
_RESTARTS_MAX = 2
_EXIT_SECONDS = 2.0
_CPU_SIGNALS = (-signal.SIGXCPU, -signal.SIGKILL)


class Sandbox:
    """Decodes files, several at once if asked from several threads; each in its own child.

    limits: for each child. attempts: readers that each successive child may use.
    """

    def __init__(
        self,
        *,
        limits: ReadLimits | None = None,
        attempts: Sequence[tuple[str, ...]] = DEFAULT_ATTEMPTS,
    ) -> None:
        self.limits = ReadLimits() if limits is None else limits
        self._attempts = tuple(attempts)
        self._lock = threading.Lock()
        self._current: Zygote | None = None
        self._owner = os.getpid()
        self._is_closed = False
        self._peak_bytes = 0

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def peak_child_bytes(self) -> int:
        """Largest resident memory of any child so far, bytes."""
        return self._peak_bytes

    def protections(self) -> dict[str, bool]:
        """Which protections are in force on this machine, by name. Starts the zygote."""
        return dict(self._zygote().protections)

    def read(self, path: Path | bytes | str, request: ReadRequest) -> DecodedMedia:
        """Decode one file.

        Each child gets `limits.wall_seconds`; the call returns within the sum over attempts.

        Raises:
            MediaError: the file cannot be read, is not media, is damaged or beyond the limits.
            TransientError: no decoder process can be started.
        """
        with opened(path) as (media, size):
            failure: MediaError | None = None
            sha256: str | None = None
            notes: tuple[str, ...] = ()
            for readers in self._attempts:
                deadline = time.monotonic() + self.limits.wall_seconds
                try:
                    with self._decoding(media, request, readers, deadline) as attempt:
                        # The child is at work meanwhile.
                        if sha256 is None:
                            sha256 = _digest(media, deadline)
                        found = attempt.result(size)
                except (DecodeTimeout, DecoderCrashed) as error:
                    failure = error
                    notes += (f"{readers[0]} gave up: {error.found}",)
                    continue
                metadata = dataclasses.replace(
                    found.metadata, sha256=sha256, notes=(*found.metadata.notes, *notes)
                )
                return dataclasses.replace(found, metadata=metadata)
            if failure is None:
                raise ValueError("a sandbox needs at least one attempt")
            raise failure

    def close(self) -> None:
        """End the zygote and all children; reads under way in other threads fail."""
        with self._lock:
            self._is_closed = True
            zygote, self._current = self._current, None
        if zygote is not None and self._owner == os.getpid():
            zygote.close()

    def _zygote(self) -> Zygote:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the sandbox is closed")
            if self._owner != os.getpid():
                # After a fork the zygote belongs to the other process.
                self._current, self._owner = None, os.getpid()
            if self._current is None:
                self._current = Zygote()
            return self._current

    def _discard(self, zygote: Zygote) -> None:
        with self._lock:
            if self._current is zygote:
                self._current = None
        zygote.kill()

    @contextlib.contextmanager
    def _decoding(
        self, media: int, request: ReadRequest, readers: tuple[str, ...], deadline: float
    ) -> Iterator["_Attempt"]:
        attempt = _Attempt(self, media, request_to_json(request, self.limits, readers), deadline)
        try:
            attempt.start()
            yield attempt
        finally:
            attempt.end()
            self._peak_bytes = max(self._peak_bytes, attempt.peak_bytes)


class _Attempt:
    """One file with one set of readers; a second child only if the zygote is lost."""

    def __init__(self, sandbox: Sandbox, media: int, request: str, deadline: float) -> None:
        self._sandbox, self._media = sandbox, media
        self._request, self._deadline = request, deadline
        self._limits = sandbox.limits
        self._zygote: Zygote | None = None
        self._child: Child | None = None
        self._socket: socket.socket | None = None
        self.peak_bytes = 0

    def start(self) -> None:
        for _ in range(_RESTARTS_MAX + 1):
            zygote = self._sandbox._zygote()
            ours, theirs = socket.socketpair()
            try:
                self._child = zygote.spawn(self._request, theirs, self._media)
            except ZygoteGone:
                ours.close()
                self._sandbox._discard(zygote)
                continue
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            self._zygote, self._socket = zygote, ours
            return
        raise _no_process()

    def result(self, size: int) -> DecodedMedia:
        for _ in range(_RESTARTS_MAX + 1):
            try:
                return receive_media(self._receive, self._limits, size)
            except TimeoutError:
                raise self._overdue() from None
            except (EOFError, ConnectionError):
                code = self._exit_code()
                if code is not None:
                    raise self._ended(code) from None
                # Nobody can say how the child ended: the zygote died, and took it along.
                self.end()
                self.start()
            except WireError as error:
                raise DecoderCrashed(
                    f"the decoder's answer makes no sense ({error})"[:300],
                    expected="decoded media",
                    remedy="Treat the file as hostile.",
                ) from error
        raise _no_process()

    def end(self) -> None:
        """Kill the child if it still runs, and wait until it is gone."""
        child, self._child = self._child, None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if child is None or self._zygote is None:
            return
        # A child that has answered ends by itself; one that has not is killed at once.
        child.exited.wait(0.0)
        if not child.exited.is_set():
            child.kill()
            if not child.exited.wait(_EXIT_SECONDS):
                self._sandbox._discard(self._zygote)
        self.peak_bytes = max(self.peak_bytes, child.peak_bytes)

    def _receive(self, view: memoryview) -> None:
        if self._socket is None:
            raise EOFError
        filled = 0
        while filled < len(view):
            left = self._deadline - time.monotonic()
            if left <= 0.0:
                raise TimeoutError
            self._socket.settimeout(left)
            got = self._socket.recv_into(view[filled:])
            if got == 0:
                raise EOFError
            filled += got

    def _exit_code(self) -> int | None:
        if self._child is None:
            return None
        self._child.exited.wait(_EXIT_SECONDS)
        return self._child.code

    def _ended(self, code: int) -> MediaError:
        if code in _CPU_SIGNALS:
            return DecodeTimeout(
                "cpu_seconds",
                f"decoding used more than {self._limits.cpu_seconds} s of processor time",
                expected=f"at most {self._limits.cpu_seconds} s",
                remedy="Shorten the file, or raise the limit on processor time.",
            )
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return DecoderCrashed(
            f"the decoder ended without an answer ({how})",
            expected="decoded media",
            remedy="Convert the file to H.264 and AAC, or treat it as hostile.",
        )

    def _overdue(self) -> DecodeTimeout:
        return DecodeTimeout(
            "wall_seconds",
            f"decoding took longer than {self._limits.wall_seconds:g} s and was stopped",
            expected=f"at most {self._limits.wall_seconds:g} s",
            remedy="Shorten the file, or raise the limit on wall time.",
        )


def _no_process() -> TransientError:
    return TransientError(
        "the decoder process died again and again",
        expected="a process that lives",
        remedy="Try again; check the machine's memory.",
    )


@contextlib.contextmanager
def opened(path: Path | bytes | str) -> Iterator[tuple[int, int]]:
    """An open descriptor and the size of a regular, non-empty file.

    Raises:
        UnreadableFile: no such file, no permission, a link loop, not a regular file.
        EmptyFile: zero bytes.
    """
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise UnreadableFile(
            f"the file cannot be opened ({reason})",
            expected="a readable regular file",
            remedy="Check that the path exists and that permissions allow reading it.",
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(
                f"the path names a {_kind(status.st_mode)}",
                expected="a regular file",
                remedy="Name the media file itself.",
            )
        if status.st_size == 0:
            raise EmptyFile(
                "the file has 0 bytes",
                expected="media content",
                remedy="Fetch the file again.",
            )
        yield descriptor, status.st_size
    finally:
        os.close(descriptor)


def digest(path: Path | bytes | str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; the same that `Sandbox.read` reports.

    Raises:
        UnreadableFile, EmptyFile: as `Sandbox.read` would.
    """
    with opened(path) as (descriptor, _):
        return _digest(descriptor, None)


def _digest(descriptor: int, deadline: float | None) -> str:
    state = hashlib.sha256()
    position = 0
    while True:
        try:
            block = os.pread(descriptor, _HASH_BLOCK_BYTES, position)
        except OSError as error:
            raise UnreadableFile(
                f"reading failed at byte {position} ({os.strerror(error.errno or 0)})",
                expected="a readable regular file",
                remedy="Check the disk.",
            ) from error
        if not block:
            return state.hexdigest()
        state.update(block)
        position += len(block)
        if deadline is not None and time.monotonic() > deadline:
            raise DecodeTimeout(
                "wall_seconds",
                f"hashing reached byte {position} when time was up",
                expected="a disk that delivers the file in time",
                remedy="Copy the file to a faster disk, or raise the limit on wall time.",
            )


def _kind(mode: int) -> str:
    for check, word in (
        (stat.S_ISDIR, "directory"),
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISBLK, "block device"),
    ):
        if check(mode):
            return word
    return "special file"
