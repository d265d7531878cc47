"""Scoring a list of files: earlier results kept, new ones journalled, nothing lost on the way."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moderation.cli.interruption import Interrupted, Interruption
from moderation.errors import OutputError
from moderation.journal import Journal, kept
from moderation.types import ItemResult, Mode


class BatchDispatcher(Protocol):
    """What the command line needs of a dispatcher to score many files."""

    @property
    def judge_id(self) -> str:
        """Names the judge and its version; part of what makes an earlier result stand."""
        ...

    @property
    def setup(self) -> str | None:
        """Digest of what else decides a score; see `moderation.results.RunContext`."""
        ...

    @property
    def limits(self) -> str | None:
        """Digest of the decoder's bounds."""
        ...

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`; full mode averages over `rationales`."""
        ...


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a run came to.

    results: in the order of the inputs; all of them unless `is_interrupted`.
    kept: how many of them an earlier run had made. seconds: wall time of the new ones, without
    what came before the second was begun (loading the models).
    is_written: the output file holds `results` now. unwritten: why it, or its journal, could not
    be written; the batch ends there.
    """

    results: tuple[ItemResult, ...]
    inputs: int
    kept: int
    seconds: float
    is_interrupted: bool
    is_written: bool
    unwritten: OutputError | None = None

    @property
    def scored(self) -> int:
        return sum(result.judgment is not None for result in self.results)

    @property
    def failed(self) -> int:
        return len(self.results) - self.scored

    @property
    def duplicates(self) -> int:
        return sum(result.duplicate_of is not None for result in self.results)

    @property
    def made(self) -> int:
        """Results that are new."""
        return len(self.results) - self.kept

    @property
    def items_per_second(self) -> float:
        """Of newly made results."""
        return self.made / max(self.seconds, 1e-9)


class Watch:
    """What a progress display may want to know; this one shows nothing."""

    def start(self, items: int) -> None:
        """So many results are to be made; those kept from before are not among them."""

    def loaded(self) -> None:
        """Models are loaded: from now on the pace says something."""

    def begun(self) -> None:
        """Work on one more file has begun."""

    def made(self) -> None:
        """One more result is there."""


def run_batch(
    dispatcher: BatchDispatcher,
    paths: Sequence[Path],
    mode: Mode,
    *,
    rationales: int = 1,
    journal: Journal | None = None,
    interruption: Interruption | None = None,
    on_result: Callable[[ItemResult], None] = lambda _: None,
    watch: Watch | None = None,
) -> BatchOutcome:
    """Score `paths`; `on_result` sees every result, kept or new, in the order of the inputs.

    watch: told of new results only, and of the files on which work begins.

    On an interruption, when the disk is full, or when `dispatcher` fails altogether, what is
    finished is written first; the first two then return as an outcome, a failure is raised again.
    """
    interruption = interruption or Interruption()
    keep = kept(paths, journal.earlier) if journal else {}
    results: dict[int, ItemResult] = {}
    is_complete = is_interrupted = is_written = False
    unwritten: OutputError | None = None
    pace = _Pace(watch or Watch())
    todo = [path for index, path in enumerate(paths) if index not in keep]
    fresh = dispatcher.score(pace.begin(todo), mode, rationales=rationales)
    try:
        for index, path in enumerate(paths):
            result = keep.get(index)
            if result is None:
                with interruption.allowed():
                    result = next(fresh, None)
                if result is None:
                    raise RuntimeError(f"the dispatcher gave no result for {path}")
                results[index] = result
                pace.made()
                if journal:
                    journal.append(result)
            on_result(result)
        is_complete = True
    except Interrupted:
        is_interrupted = True
    except OutputError as error:
        unwritten = error
    finally:
        merged = {**keep, **results}
        ordered = tuple(merged[index] for index in sorted(merged))
        if journal and (ordered or is_complete):
            try:
                is_written = journal.finish(ordered, is_complete=is_complete)
            except OutputError as error:
                unwritten = unwritten or error
        close = getattr(fresh, "close", None)
        if close:
            close()
    return BatchOutcome(
        results=ordered,
        inputs=len(paths),
        kept=len(keep),
        seconds=pace.seconds,
        is_interrupted=is_interrupted,
        is_written=is_written,
        unwritten=unwritten,
    )


class _Pace:
    """Passes on to a watch what a dispatcher takes and gives, and takes the time."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._started = self._latest = time.monotonic()

    def begin(self, paths: Sequence[Path]) -> Iterator[Path]:
        """`paths`; dispatchers take them as they get on."""
        self._watch.start(len(paths))
        for index, path in enumerate(paths):
            if index == 1:
                # The dispatcher asks for a second file when its models are loaded.
                self._started = time.monotonic()
                self._watch.loaded()
            self._watch.begun()
            yield path

    def made(self) -> None:
        self._latest = time.monotonic()
        self._watch.made()

    @property
    def seconds(self) -> float:
        return max(0.0, self._latest - self._started)
