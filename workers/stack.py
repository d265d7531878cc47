"""Several processes that are one: they start together, and end together."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from workers.parentage import ending_with_parent
from workers.queues import Queue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One process."""

    name: str
    command: Sequence[str]


def pool_part(queue: Queue, concurrency: int | None = None) -> Part:
    """The pool of a queue, as a process of its own."""
    many = () if concurrency is None else ("--concurrency", str(concurrency))
    return command_part(str(queue), "worker", "--queues", str(queue), *many)


def command_part(name: str, *arguments: str) -> Part:
    """A sub-command of `moderation` as a process of its own."""
    return Part(name, (sys.executable, "-m", "moderation", *arguments))


class Stack:
    """Parts that run. A context manager: at its end nothing of them is left.

    stop_seconds: what a part has to end in order, before it is killed. environment: of the parts,
    in addition to this process's own.
    """

    def __init__(
        self, *, stop_seconds: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self._stop_seconds = stop_seconds
        self._environment = {**os.environ, **(environment or {})}
        self._running: list[tuple[Part, subprocess.Popen[bytes]]] = []

    def start(self, part: Part) -> None:
        """Begin a part. The terminal's Ctrl-C does not reach it: the stack says when to end."""
        process = subprocess.Popen(
            part.command,
            env=self._environment,
            start_new_session=True,
            preexec_fn=ending_with_parent(),
        )
        self._running.append((part, process))

    def ended(self) -> str | None:
        """The name of a part that has ended by itself, if one has."""
        return next((part.name for part, one in self._running if one.poll() is not None), None)

    def stop(self) -> None:
        """End all: the first one, on which the others rest, when those have ended."""
        end = time.monotonic() + self._stop_seconds
        first, others = self._running[:1], self._running[1:]
        self._stop_together(others, end)
        self._stop_together(first, end)
        self._running.clear()

    def _stop_together(
        self, running: Sequence[tuple[Part, subprocess.Popen[bytes]]], end: float
    ) -> None:
        for _, process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for part, process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("%s does not end, and is killed", part.name)
                process.kill()
                process.wait()

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_parts(
    parts: Sequence[Part],
    *,
    stop_seconds: float,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run parts until SIGTERM or SIGINT, or until one ends by itself; the exit code."""
    stack = Stack(stop_seconds=stop_seconds, environment=environment)
    with asked_to_stop() as is_asked, stack:
        for part in parts:
            stack.start(part)
        return wait(stack, is_asked)


def wait(stack: Stack, is_asked: threading.Event) -> int:
    """Until it is asked to stop (0), or a part ends by itself (1)."""
    while not is_asked.wait(0.2):
        if (name := stack.ended()) is not None:
            _log.error("%s has ended by itself; the others are stopped", name)
            return 1
    return 0


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Within it, SIGTERM and SIGINT set an event."""
    asked = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
