"""Stopping a pool: it ends the file in hand and puts the rest back, within a bound."""

import logging
import mmap
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger(__name__)


class StopRequest:
    """A wish to stop that the parent makes and its pool processes see.

    One byte of memory that processes share when they fork: without a lock, since one that is
    killed while it holds it would stop all others.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def is_made(self) -> bool:
        """Whether the pool is to stop."""
        return self._shared[0] != 0

    def make(self) -> None:
        """Ask the pool to stop."""
        self._shared[0] = 1


def stop_on_signal(request: StopRequest, seconds_max: float) -> None:
    """Let SIGTERM and SIGINT make `request`, and then do what Celery does: wait for its tasks.

    After `seconds_max` those are given up: their jobs come back when the leases run out. Celery's
    own bound, a soft shutdown, always waits for its whole length.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _handler(request, seconds_max, signal.getsignal(number)))


def _handler(
    request: StopRequest, seconds_max: float, before: object
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if not request.is_made():
            request.make()
            bound = threading.Timer(seconds_max, _give_up)
            bound.daemon = True
            bound.start()
        if callable(before):
            before(number, frame)

    return handle


def _give_up() -> None:
    _log.warning("stopping takes too long; what is under way is given up")
    os.kill(os.getpid(), signal.SIGQUIT)
