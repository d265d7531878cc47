"""How far long work has come: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_SECONDS = 30.0

T = TypeVar("T")


@contextmanager
def counted(console: Console, total: int, what: str) -> Iterator[Callable[[], None]]:
    """Gives a function to call after each of `total` things; `what` they are, in the plural."""
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda: progress.advance(task)
        return
    done, begin = 0, time.monotonic()
    written = begin

    def advance() -> None:
        nonlocal done, written
        done += 1
        now = time.monotonic()
        if now - written >= LINE_SECONDS or done == total:
            written = now
            told = sentence(done, total, what, now - begin)
            console.print(told, highlight=False, markup=False)

    yield advance


@contextmanager
def measured(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to call with what is done, and with a total that may not be known before.

    Nothing is shown where the console is no terminal.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    is_hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_hidden) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def each(things: Iterable[T], console: Console, total: int, what: str) -> Iterator[T]:
    """The things as they come, each counted when the next is asked for; see `counted`."""
    with counted(console, total, what) as advance:
        for thing in things:
            yield thing
            advance()


def sentence(done: int, total: int, what: str, elapsed_seconds: float) -> str:
    """Count, rate and what is left, by the rate so far."""
    left_minutes = (total - done) * elapsed_seconds / done / 60.0
    rate = done / max(elapsed_seconds, 1e-3)
    return f"{done} of {total} {what}, {rate:.1f} a second, {left_minutes:.0f} min left"
