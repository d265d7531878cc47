"""The parent's hold on the zygote process and on one decoder child."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from encoders.errors import TransientError
from encoders.sandbox_errors import ChildExit, ZygoteLost
from encoders.sandbox_wire import (
    Deadline,
    Disconnected,
    Header,
    receive_header,
    send_header,
)

START_SECONDS = 60.0
"""For loading the decoders on a busy machine; takes a fifth of a second on an idle one."""

BURIAL_SECONDS = 10.0
"""For a killed child to be gone and reported."""

# For a child that closed its stream to end by itself, so that its exit tells why.
_LINGER_SECONDS = 2.0
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")


def _environment() -> dict[str, str]:
    """Only what the interpreter needs: no secret of this process reaches a decoder."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    root = str(Path(__file__).resolve().parent.parent)
    inherited = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([root, inherited] if inherited else [root])
    # One thread in each library: a process with threads does not fork safely.
    for library in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{library}_NUM_THREADS"] = "1"
    return {**environment, "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


class ChildHandle:
    """One decoder child as the parent sees it; on leaving, the child is dead.

    answers: the stream on which it answers.
    """

    def __init__(
        self, answers: socket.socket, events: socket.socket, pid: int, pidfd: int | None
    ) -> None:
        self.answers = answers
        self.pid = pid
        self._events = events
        self._pidfd = pidfd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill()
        # The zygote kills the child of a closed event socket as well, should no pidfd exist.
        self._events.close()
        self.answers.close()
        if self._pidfd is not None:
            os.close(self._pidfd)

    def _kill(self) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        else:
            with contextlib.suppress(OSError):
                self._events.shutdown(socket.SHUT_WR)

    def bury(self, *, kill: bool) -> ChildExit | None:
        """How the child ended; None when the zygote is gone.

        kill: end it now, rather than after a short wait for it to end by itself.
        """
        if not kill:
            with contextlib.suppress(TimeoutError):
                return self._exit(_LINGER_SECONDS, killed=False)
        self._kill()
        with contextlib.suppress(TimeoutError):
            return self._exit(BURIAL_SECONDS, killed=True)
        return None

    def _exit(self, seconds: float, *, killed: bool) -> ChildExit | None:
        try:
            trailer = receive_header(self._events, Deadline.after(seconds))
        except Disconnected:
            return None
        return ChildExit(
            exit_code=int(trailer["status"]),
            max_rss_bytes=int(trailer["max_rss_bytes"]),
            cpu_seconds=float(trailer["cpu_seconds"]),
            killed=killed,
        )


class ZygoteProcess:
    """A running `encoders.sandbox_child`.

    Raises: TransientError when it does not come up.
    """

    def __init__(self) -> None:
        self._owner_pid = os.getpid()
        self._send_lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -P keeps the working folder, which may hold anything, out of the import path.
        command = [sys.executable, "-P", "-m", "encoders.sandbox_child"]
        with theirs, tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=_environment(),
                cwd="/",
                start_new_session=True,  # a Ctrl-C at the terminal is for the parent
            )
            theirs.close()
            self._control.settimeout(START_SECONDS)
            try:
                started = bool(self._control.recv(4096))
            except OSError:
                started = False
            if not started:
                self.close()
                complaints.seek(0)
                text = complaints.read()[-600:].decode(errors="replace").strip()
                raise TransientError(
                    f"the decoder process did not start ({text or 'no word from it'})",
                    expected=f"it ready within {START_SECONDS:g} s",
                    remedy="Run `moderation doctor`; the message above says what failed.",
                )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_ours(self) -> bool:
        """False in a process forked from the one that started it."""
        return self._owner_pid == os.getpid()

    def is_alive(self) -> bool:
        return self.is_ours and self._process.poll() is None

    def start_child(self, request: Header, file: int | None, deadline: Deadline) -> ChildHandle:
        """Have a child forked and give it its request.

        file: descriptor of the file to read; None for a child that only tells its confinement.

        Raises:
            ZygoteLost: the zygote ended.
            TimeoutError: it did not answer before `deadline`.
        """
        answers, their_answers = socket.socketpair()
        events, their_events = socket.socketpair()
        try:
            with their_answers, their_events, self._send_lock:
                self._control.settimeout(deadline.remaining_seconds())
                sent = [their_answers.fileno(), their_events.fileno()]
                socket.send_fds(self._control, [b"f"], sent if file is None else [*sent, file])
            answers.settimeout(deadline.remaining_seconds())
            send_header(answers, request)
            pid = int(receive_header(events, deadline)["pid"])
            return ChildHandle(answers, events, pid, _receive_pidfd(events, deadline))
        except (ConnectionError, Disconnected) as error:
            _close_both(answers, events)
            raise ZygoteLost("it took no request") from error
        except BaseException:
            _close_both(answers, events)
            raise

    def close(self) -> None:
        """End it: it kills its children when the control socket closes, then itself."""
        self._control.close()
        try:
            self._process.wait(BURIAL_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _close_both(*channels: socket.socket) -> None:
    for channel in channels:
        channel.close()


def _receive_pidfd(events: socket.socket, deadline: Deadline) -> int | None:
    events.settimeout(deadline.remaining_seconds())
    _, descriptors, _, _ = socket.recv_fds(events, 1, 1)
    return descriptors[0] if descriptors else None
