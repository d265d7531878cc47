"""What Ray runs elsewhere: an actor that scores, and one that remembers what others were at."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moderation.errors import TypedError
from moderation.pipeline import failure
from moderation.results import RunContext, to_row, unescape_path
from moderation.settings import Settings
from workers.batches.errors import LOST_AT_FIRST_MAX, WorkerLost
from workers.batches.orders import Answer, Order, Refusal
from workers.batches.scorer import BatchScorer, scorer_name

Columns = Mapping[str, Sequence[Any]]
"""`number` and `path`, of each file; `answer` in place of `path` afterwards, as JSON."""


class Memory:
    """Ray repeats what an actor was at when it ended, for ever: this is what ends the loop.

    Files that were begun together once are scored alone; one that was begun alone is not again.
    """

    def __init__(self) -> None:
        self._together: set[int] = set()
        self._alone: dict[int, str | None] = {}
        self._lost = 0
        self._has_row = False

    def begin(self, numbers: Sequence[int]) -> bool | None:
        """Whether this is the first time for all of them. None: actors do not live."""
        is_first = self._together.isdisjoint(numbers)
        self._together.update(numbers)
        self._lost += not is_first
        if self._lost >= LOST_AT_FIRST_MAX and not self._has_row:
            return None
        return is_first

    def has_row(self) -> None:
        """An actor lived to the end of a batch."""
        self._has_row = True

    def begin_alone(self, number: int) -> tuple[bool, str | None]:
        """Whether this is the first time, and what `keep` was told."""
        is_first = number not in self._alone
        return is_first, self._alone.setdefault(number, None)

    def keep(self, number: int, answer: str) -> None:
        """What came of one alone."""
        self._alone[number] = answer


class ScoringActor:
    """Called with the columns of a batch. Loads the models once.

    settings: those that decide scores. order: without its paths. memory: an actor `Memory`.
    """

    def __init__(self, settings: Mapping[str, Any], order: Mapping[str, Any], memory: Any) -> None:
        self._order = Order.from_json(order)
        self._memory = memory
        self._refusal: Refusal | None = None
        try:
            self._scorer = BatchScorer(Settings.load(**settings))
        except TypedError as error:
            self._refusal = Refusal.of(error)

    def __call__(self, columns: Columns) -> Columns:
        """An answer a file, in their order."""
        numbers = [int(number) for number in columns["number"]]
        paths = [Path(unescape_path(str(path))) for path in columns["path"]]
        is_first = self._ask(self._memory.begin, numbers)
        if is_first is None:
            self._refusal = _NOBODY_LIVES
        if is_first is not False:
            answers = self._answers(paths)
        else:
            answers = [
                self._alone(number, path) for number, path in zip(numbers, paths, strict=True)
            ]
        self._ask(self._memory.has_row)
        return {"number": numbers, "answer": answers}

    def _answers(self, paths: Sequence[Path]) -> list[str]:
        if self._refusal is not None:
            return [_text(Answer(scorer_name(), refusal=self._refusal))] * len(paths)
        answer = self._scorer.answer(replace(self._order, paths=tuple(paths)))
        if answer.refusal is not None:
            return [_text(answer)] * len(paths)
        return [_text(replace(answer, rows=(row,))) for row in answer.rows]

    def _alone(self, number: int, path: Path) -> str:
        is_first, kept = self._ask(self._memory.begin_alone, number)
        if kept is None:
            [kept] = self._answers([path]) if is_first else [self._lost(path)]
            self._ask(self._memory.keep, number, kept)
        return str(kept)

    def _lost(self, path: Path) -> str:
        order = self._order
        context = RunContext(order.mode, order.terms["judge"], order.rationales)
        lost = failure(path, WorkerLost.over("its actor ended"))
        return _text(Answer(scorer_name(), (to_row(lost, context),)))

    @staticmethod
    def _ask(method: Any, *arguments: Any) -> Any:
        import ray

        return ray.get(method.remote(*arguments))


_NOBODY_LIVES = Refusal(
    f"actors ended over each of the first {LOST_AT_FIRST_MAX} tries",
    "actors that live: Ray ends those that load models where memory is short",
    "See Ray's log for why they ended; free memory, or take machines with more of it.",
)


def _text(answer: Answer) -> str:
    return json.dumps(answer.to_json())
