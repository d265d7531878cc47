"""Ctrl-C and SIGTERM, taken only where stopping is safe."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The user, or the system, asked this process to stop."""


class Interruption:
    """Turns SIGINT and SIGTERM into `Interrupted`, inside `allowed()` blocks only.

    A signal that comes at another moment waits for the next such block, so that writing a
    row to the journal is never cut in half. Wrap the whole command in `installed()`. Who asks
    `PATIENCE` times, since a disk hangs perhaps, ends the process as if nothing were installed.
    """

    PATIENCE = 4

    def __init__(self) -> None:
        self._asked = 0
        self._is_allowed = False
        self._is_asked = False

    @contextmanager
    def installed(self) -> Iterator["Interruption"]:
        """Handle the signals until the block ends; outside the main thread, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let the signals stop this block.

        Raises:
            Interrupted: one came.
        """
        self._is_allowed = True
        try:
            if self._is_asked:
                self._stop()
            yield
        finally:
            self._is_allowed = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._asked += 1
        if self._asked >= self.PATIENCE:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._is_asked = True
        if self._is_allowed:
            self._stop()

    def _stop(self) -> None:
        # Taken: cleaning up after it is not cut short by the same request.
        self._is_asked = self._is_allowed = False
        raise Interrupted
