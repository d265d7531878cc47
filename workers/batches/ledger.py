"""Which files of a batch wait, are out, or have come: in and out in the order of the inputs."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from moderation.pipeline import failure
from moderation.repeats import Repeats
from moderation.types import ItemResult
from workers.batches.errors import WorkerLost
from workers.batches.naming import absolute, as_named


@dataclass(frozen=True, slots=True)
class Work:
    """Files that go out together. begin: number of the first. was_lost: and came back alone."""

    begin: int
    paths: tuple[Path, ...]
    was_lost: bool = False

    @property
    def absolute(self) -> tuple[Path, ...]:
        """`paths` as another process finds them."""
        return tuple(absolute(path) for path in self.paths)

    def rest(self, begun: int) -> "Work":
        """Without the first `begun` files."""
        return replace(self, begin=self.begin + begun, paths=self.paths[begun:])


class Ledger:
    """Each file is given out until it has a row; a row is there once.

    size: files that go out together. held_max: files that are out, or wait for a row before
    them, at most: what is held in memory of any number of inputs.
    """

    def __init__(self, paths: Iterable[Path], *, size: int, held_max: int) -> None:
        self._inputs = iter(paths)
        self._size, self._held_max = size, max(held_max, size)
        self._taken = self._shown = self._out = 0
        self._again: deque[Work] = deque()
        self._rows: dict[int, ItemResult] = {}
        self._repeats = Repeats()

    def give(self) -> Work | None:
        """What goes out next; None: nothing now, or at all."""
        work = self._again.popleft() if self._again else self._fresh()
        if work is not None:
            self._out += len(work.paths)
        return work

    def _fresh(self) -> Work | None:
        if self._taken + self._size > self._shown + self._held_max:
            return None
        paths = tuple(islice(self._inputs, self._size))
        if not paths:
            return None
        self._taken += len(paths)
        return Work(self._taken - len(paths), paths)

    def came(self, work: Work, results: Sequence[ItemResult]) -> None:
        """Rows of the first files of `work`; the others go out again."""
        named = dict(zip(map(str, work.absolute), map(str, work.paths), strict=True))
        for number, (path, result) in enumerate(zip(work.paths, results, strict=False)):
            self._rows[work.begin + number] = as_named(result, path, named)
        self._out -= len(results)
        if len(results) < len(work.paths):
            self.put_back(work.rest(len(results)))

    def put_back(self, work: Work) -> None:
        """Nobody began with it."""
        self._out -= len(work.paths)
        self._again.appendleft(work)

    def lost(self, work: Work, fault: str) -> None:
        """Whoever had it is gone: each file has one more try, alone."""
        self._out -= len(work.paths)
        if work.was_lost:
            self._rows[work.begin] = failure(work.paths[0], WorkerLost.over(fault))
            return
        alone = [Work(work.begin + n, (path,), True) for n, path in enumerate(work.paths)]
        self._again.extendleft(reversed(alone))

    def ready(self) -> Iterator[ItemResult]:
        """Rows whose turn it is."""
        while (row := self._rows.pop(self._shown, None)) is not None:
            self._shown += 1
            yield self._repeats.settle(row)

    @property
    def is_idle(self) -> bool:
        """Nothing is out: where nothing is given either, all rows have been shown."""
        return self._out == 0
