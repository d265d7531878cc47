"""The parent's handle on the zygote process of the sandbox, and on its children."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encoders.errors import PermanentError, TransientError

_START_SECONDS = 60.0
_END_SECONDS = 2.0
_MESSAGE_BYTES_MAX = 65536


class ZygoteGone(Exception):  # noqa: N818 - a signal to restart, never seen by callers
    """The zygote died or stopped answering."""


class Child:
    """One decoder child: known by number at once, by process id when the zygote has forked.

    code: exit code, negative for a signal, None while it runs or when nobody could tell.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid: int | None = None
        self.code: int | None = None
        self.peak_bytes = 0
        self.started, self.exited = threading.Event(), threading.Event()
        self._handle: int | None = None
        self._lock = threading.Lock()

    def set_started(self, pid: int, handle: int | None) -> None:
        with self._lock:
            self.pid, self._handle = pid, handle
        self.started.set()

    def set_exited(self, code: int | None, peak_bytes: int) -> None:
        with self._lock:
            self.code, self.peak_bytes = code, peak_bytes
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
            self.exited.set()
        self.started.set()

    def kill(self) -> None:
        """Send SIGKILL, once the process is known; nothing if it has ended."""
        self.started.wait(_END_SECONDS)
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self.exited.is_set() or self.pid is None:
                return
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)


class Zygote:
    """A running `encoders.sandbox_child`. Thread-safe.

    Raises:
        TransientError: the process did not start.
        PermanentError: it started, but a decoder is missing.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control, self._lock = ours, threading.Lock()
        self._children: dict[int, Child] = {}
        self._next = 0
        self._is_gone = False
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "encoders.sandbox_child", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # Ctrl-C at a terminal is for the parent, which then decides.
                start_new_session=True,
            )
            theirs.close()
            try:
                self.protections = self._await_ready(log)
            except BaseException:
                self._process.kill()
                self._process.wait()
                self._control.close()
                raise
        self.pid = self._process.pid
        self._listener = threading.Thread(target=self._listen, name="sandbox", daemon=True)
        self._listener.start()

    def _await_ready(self, log: Any) -> dict[str, bool]:
        self._control.settimeout(_START_SECONDS)
        try:
            answer = json.loads(self._control.recv(_MESSAGE_BYTES_MAX) or b"{}")
        except TimeoutError:
            answer = {}
        self._control.settimeout(None)
        if "protections" in answer:
            return dict(answer["protections"])
        if "failed" in answer:
            raise PermanentError(
                f"the decoder process cannot load its decoders ({answer['failed']})",
                expected="av, pillow, pillow-heif and numpy to be importable",
                remedy="Install the extra: pip install 'real-moderation[judge]'.",
            )
        log.seek(0)
        words = log.read()[-300:].decode(errors="replace").strip()
        raise TransientError(
            f"the decoder process did not start ({words or 'no message'})",
            expected=f"an answer within {_START_SECONDS:g} s",
            remedy="Try again when the machine is less busy.",
        )

    def spawn(self, request: str, answer: socket.socket, media: int) -> Child:
        """Fork a child that decodes the open file `media` and writes to `answer`.

        Raises:
            ZygoteGone: there is no zygote to fork it.
        """
        with self._lock:
            if self._is_gone:
                raise ZygoteGone
            child = Child(self._next)
            self._next += 1
            self._children[child.number] = child
            order = json.dumps({"id": child.number, "request": request}).encode()
            try:
                socket.send_fds(self._control, [order], [answer.fileno(), media])
            except OSError as error:
                self._children.pop(child.number)
                raise ZygoteGone from error
        return child

    def _listen(self) -> None:
        while True:
            try:
                message, handles, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES_MAX, 1)
            except OSError:
                break
            if not message:
                break
            note = json.loads(message)
            handle = handles[0] if handles else None
            with self._lock:
                number = note.get("started", note.get("exited"))
                child = self._children.get(number)
                if "exited" in note:
                    self._children.pop(number, None)
            if child is None:
                if handle is not None:
                    os.close(handle)
            elif "started" in note:
                child.set_started(note["pid"], handle)
            else:
                child.set_exited(note["code"], note["peak_bytes"])
        with self._lock:
            self._is_gone = True
            left = list(self._children.values())
            self._children.clear()
        for child in left:
            child.set_exited(None, 0)

    def close(self) -> None:
        """End the zygote and with it every child; returns when they are gone."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_END_SECONDS)
        self._control.close()

    def kill(self) -> None:
        """End a zygote that does not answer."""
        self._process.kill()
        self.close()


def _environment() -> dict[str, str]:
    """Just enough for the decoders: no secrets of the parent, one thread, few arenas."""
    root = str(Path(__file__).resolve().parent.parent)
    paths: Sequence[str] = [p for p in sys.path if p]
    kept = {k: os.environ[k] for k in ("LD_LIBRARY_PATH", "PATH", "TMPDIR") if k in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The parent's own search path, so that the child finds the same packages; with -P
        # the working directory, which may hold anything, is not searched.
        "PYTHONPATH": os.pathsep.join([*paths, *([] if root in paths else [root])]),
    }
