"""The progress bar of a batch: it moves when a file is taken up, and when its result is there.

Results come in batches, as the judge makes them; files are taken up one by one. Counting both
halves lets the bar, and the time that it foretells, move steadily.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from moderation.cli.batch import Watch

_STEPS = 2
"""Of the bar, an item: taken up, and done."""


class _SpeedColumn(ProgressColumn):
    """Nothing before the first result: files are taken up in a burst."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None or not task.fields["made"]:
            return Text("")
        return Text(f"{speed / _STEPS:.2f} items/s", style="progress.data.speed")


class _TimeLeftColumn(TimeRemainingColumn):
    def render(self, task: Task) -> Text:
        return Text("ETA ").append(super().render(task)) if task.fields["made"] else Text("")


class BatchProgress(Watch):
    """Shows a batch on `progress`."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._items = 0
        self._made = 0
        self._task: TaskID | None = None

    def start(self, items: int) -> None:
        self._items = items
        if items:
            self._task = self.progress.add_task(
                "loading", total=_STEPS * items, made=0, items=items
            )

    def loaded(self) -> None:
        if self._task is not None:
            # Anew, or the time that loading took would count as slowness.
            self.progress.reset(
                self._task,
                total=_STEPS * self._items,
                completed=1 + self._made,
                description="scoring",
                made=self._made,
                items=self._items,
            )

    def begun(self) -> None:
        self._advance()

    def made(self) -> None:
        self._made += 1
        self._advance()

    def _advance(self) -> None:
        if self._task is not None:
            self.progress.update(self._task, advance=1, made=self._made)


@contextmanager
def batch_progress(console: Console) -> Iterator[BatchProgress]:
    """A bar on `console` while the block runs; nothing where that is no terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[made]}/{task.fields[items]}"),
        _SpeedColumn(),
        _TimeLeftColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=True,
        disable=not console.is_terminal,
    ) as progress:
        yield BatchProgress(progress)
