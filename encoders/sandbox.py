"""Reads hostile media in a child process with limits, killed when it outlasts them.

One zygote a process holds the decoders and forks a child a file (encoders.sandbox_child).
Time: a whole `read`, hashing included, keeps within `limits.wall_seconds`. Where a second
reader may help, the first attempt gets a third of what is left, so that a hang leaves most
of it for the second.
"""

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import TransientError, UnsupportedMedia
from encoders.sampling import Uniform
from encoders.sandbox_errors import (
    ChildExit,
    Inconclusive,
    ZygoteLost,
    conclude,
    timed_out,
    unpack_error,
)
from encoders.sandbox_file import OpenedFile
from encoders.sandbox_media import receive_media
from encoders.sandbox_wire import (
    Deadline,
    Disconnected,
    Header,
    MalformedAnswer,
    OversizedAnswer,
    pack_request,
    receive_header,
)
from encoders.sandbox_zygote import START_SECONDS, ChildHandle, ZygoteProcess
from encoders.types import DecodedMedia

FIRST_ATTEMPT_SHARE = 1 / 3
"""Part of the wall time that the first reader gets when a fallback is left."""

_DEFAULT_LIMITS = ReadLimits()


_NOTHING_ASKED = ReadRequest(Uniform())
_Answer = TypeVar("_Answer")
_Receive = Callable[[ChildHandle, Header, Deadline], _Answer]


def _receive_report(_child: ChildHandle, answer: Header, _deadline: Deadline) -> Header:
    report = answer.get("report")
    if not isinstance(report, dict):
        raise MalformedAnswer("neither a report nor an error")
    return report


class Sandbox:
    """Reads files in confined children; threads may share it.

    limits: bounds on one read. reader: `module:function` that runs in the child and is
    called as `encoders.readers.read`. fallback: names of the readers of the second
    attempt, made when the first hung, crashed, ran out of memory or raised an untyped
    error; empty for none. on_exit: told of every child that ended.
    """

    def __init__(
        self,
        *,
        limits: ReadLimits = _DEFAULT_LIMITS,
        reader: str = "encoders.readers:read",
        fallback: tuple[str, ...] = ("pyav",),
        on_exit: Callable[[ChildExit], None] | None = None,
    ) -> None:
        self._limits = limits
        self._reader = reader
        self._fallback = fallback
        self._on_exit = on_exit
        self._lock = threading.Lock()
        self._zygote: ZygoteProcess | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote and every child; reads in other threads fail."""
        with self._lock:
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None and zygote.is_ours:
            zygote.close()

    def read(self, path: Path | str | bytes, request: ReadRequest) -> DecodedMedia:
        """Decode `path`; size and SHA-256 in the metadata are this process's own count.

        Raises:
            UnreadableFile, EmptyFile: found before any decoder saw the file.
            LimitExceeded: the file is too large, or asks for too much in the child.
            DecodeTimeout, DecoderCrashed, CorruptMedia: what the child did.
            MediaError: any other that the reader raised, as it was raised.
            TransientError: the file changed meanwhile or came too slowly, or no child could
                be started.
        """
        with OpenedFile(path, bytes_max=self._limits.file_bytes_max) as opened:
            self._running_zygote()  # loading the decoders is not the file's fault
            deadline = Deadline.after(self._limits.wall_seconds)
            sha256 = opened.sha256(deadline)
            media = self._read_with_fallback(opened.descriptor, request, deadline)
            opened.require_unchanged()
        metadata = dataclasses.replace(media.metadata, sha256=sha256, size_bytes=opened.size_bytes)
        return dataclasses.replace(media, metadata=metadata)

    def report(self, path: Path | str | bytes, reader: str, options: Header) -> Header:
        """What `reader` says of `path`: a JSON object, to be read as a stranger's.

        reader: `module:function` that runs in the child, called with a path, the limits and
        `options`. There is no second attempt.

        Raises:
            MediaError, TransientError: as `read`.
        """
        with OpenedFile(path, bytes_max=self._limits.file_bytes_max) as opened:
            self._running_zygote()
            deadline = Deadline.after(self._limits.wall_seconds)
            request = pack_request(_NOTHING_ASKED, self._limits, reader, ())
            request["report"] = options
            try:
                answer = self._answer(request, opened.descriptor, deadline, _receive_report)
            except Inconclusive as inconclusive:
                raise inconclusive.verdict from None
            opened.require_unchanged()
        return answer

    @classmethod
    def protections(cls) -> dict[str, bool]:
        """Which confinements this machine grants, by name, asked of a real child."""
        with cls() as sandbox:
            return sandbox._probe()

    def _read_with_fallback(
        self, file: int, request: ReadRequest, deadline: Deadline
    ) -> DecodedMedia:
        first_deadline = deadline
        if self._fallback:
            left = deadline.remaining_seconds()
            first_deadline = Deadline.after(left * FIRST_ATTEMPT_SHARE)
        try:
            return self._read_once(file, request, (), first_deadline)
        except Inconclusive as inconclusive:
            first = inconclusive.verdict
            if not self._fallback:
                raise first from None
        try:
            media = self._read_once(file, request, self._fallback, deadline)
        except Inconclusive as inconclusive:
            raise inconclusive.verdict from first
        except UnsupportedMedia:
            raise first from None  # no format of the fallback, which says nothing new
        note = f"first reader gave up ({first.code}); read again with {media.metadata.reader}"
        metadata = dataclasses.replace(media.metadata, notes=(*media.metadata.notes, note))
        return dataclasses.replace(media, metadata=metadata)

    def _read_once(
        self, file: int, request: ReadRequest, readers: tuple[str, ...], deadline: Deadline
    ) -> DecodedMedia:
        header = pack_request(request, self._limits, self._reader, readers)
        return self._answer(header, file, deadline, self._receive_media)

    def _answer(
        self, header: Header, file: int, deadline: Deadline, receive: _Receive[_Answer]
    ) -> _Answer:
        try:
            return self._converse(header, file, deadline, receive)
        except ZygoteLost:
            # Killed from outside, by the kernel for memory perhaps: the file deserves one more.
            try:
                return self._converse(header, file, deadline, receive)
            except ZygoteLost as error:
                raise TransientError(
                    f"the decoder process was lost twice ({error})",
                    expected="a machine that keeps it running",
                    remedy="Free memory on this machine, then read the file again.",
                ) from error

    def _converse(
        self, request: Header, file: int, deadline: Deadline, receive: _Receive[_Answer]
    ) -> _Answer:
        """One child, from start to burial."""
        zygote = self._running_zygote()
        problem: Exception | None = None
        try:
            child = zygote.start_child(request, file, deadline)
            with child:
                try:
                    return self._receive(child, deadline, receive)
                except (TimeoutError, Disconnected, MalformedAnswer, OversizedAnswer) as error:
                    problem = error
                finally:
                    ended = self._ended(child, kill=not isinstance(problem, Disconnected | None))
            raise conclude(problem, ended, self._limits)
        except TimeoutError:
            raise Inconclusive(timed_out(self._limits)) from None
        except ZygoteLost:
            self._discard(zygote)
            raise

    def _receive(
        self, child: ChildHandle, deadline: Deadline, receive: _Receive[_Answer]
    ) -> _Answer:
        answer = receive_header(child.answers, deadline)
        problem = answer.get("error")
        if isinstance(problem, dict):
            raise unpack_error(problem, self._limits)
        return receive(child, answer, deadline)

    def _receive_media(
        self, child: ChildHandle, answer: Header, deadline: Deadline
    ) -> DecodedMedia:
        if not isinstance(answer.get("media"), dict):
            raise MalformedAnswer("neither media nor an error")
        return receive_media(child.answers, answer["media"], self._limits, deadline)

    def _ended(self, child: ChildHandle, *, kill: bool) -> ChildExit | None:
        ended = child.bury(kill=kill)
        if ended is None:
            return None
        if self._on_exit is not None:
            self._on_exit(ended)
        return ended

    def _probe(self) -> dict[str, bool]:
        request = pack_request(_NOTHING_ASKED, self._limits, "", ())
        deadline = Deadline.after(START_SECONDS)
        with self._running_zygote().start_child(request, None, deadline) as child:
            answer = receive_header(child.answers, deadline)
            child.bury(kill=False)
        return {str(name): active is True for name, active in answer["protections"].items()}

    def _running_zygote(self) -> ZygoteProcess:
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandbox is closed")
            if self._zygote is None or not self._zygote.is_alive():
                if self._zygote is not None and self._zygote.is_ours:
                    self._zygote.close()
                self._zygote = ZygoteProcess()
            return self._zygote

    def _discard(self, zygote: ZygoteProcess) -> None:
        with self._lock:
            if self._zygote is zygote:
                self._zygote = None
        zygote.close()
