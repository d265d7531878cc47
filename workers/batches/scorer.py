"""Scores the files of an order in this process: the same in a Celery worker and in a Ray actor."""

import logging
import os
import socket
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import takewhile
from pathlib import Path

from moderation.app import build_dispatcher
from moderation.errors import InternalError, TypedError
from moderation.pipeline import failure
from moderation.ports import Dispatcher
from moderation.results import RunContext, to_row
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from workers.batches.orders import Answer, Order, Refusal
from workers.batches.terms import differences, scoring_terms

_log = logging.getLogger(__name__)


def scorer_name() -> str:
    """Machine and process."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}"


class BatchScorer:
    """Loads the models with the first file that opens, and keeps them until it is closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return build_dispatcher(self._settings)

    def answer(self, order: Order, is_over: Callable[[], bool] = lambda: False) -> Answer:
        """Rows, or why there are none; a bad file gives a row. is_over: begin no further file."""
        name = scorer_name()
        try:
            context = self._context(order.mode, order.rationales)
            if refusal := self._refusal(order, context):
                return Answer(name, refusal=refusal)
            ahead = takewhile(lambda _: not is_over(), order.paths)
            return Answer(name, tuple(to_row(one, context) for one in self._scored(order, ahead)))
        except TypedError as error:
            return Answer(name, refusal=Refusal.of(error))

    def _scored(self, order: Order, paths: Iterable[Path]) -> list[ItemResult]:
        """A fault over all of them together is one of some file alone."""
        taken: list[Path] = []
        ahead = (taken.append(path) or path for path in paths)  # type: ignore[func-returns-value]
        try:
            return self._together(order, ahead)
        except TypedError:
            raise
        except Exception:
            _log.exception("%d files broke the scoring down; each is tried alone", len(taken))
        return [self._alone(order, path) for path in taken]

    def _together(self, order: Order, paths: Iterable[Path]) -> list[ItemResult]:
        return list(self._dispatcher.score(paths, order.mode, rationales=order.rationales))

    def _alone(self, order: Order, path: Path) -> ItemResult:
        try:
            return self._together(order, [path])[0]
        except TypedError:
            raise
        except Exception as error:
            return failure(path, InternalError.of(error))

    def _context(self, mode: Mode, rationales: int) -> RunContext:
        scores = self._dispatcher
        return RunContext(mode, scores.judge_id, rationales, scores.setup, scores.limits)

    def _refusal(self, order: Order, context: RunContext) -> Refusal | None:
        other = differences(scoring_terms(self._settings, context), order.terms)
        if not other:
            return None
        return Refusal(
            f"it has {', '.join(other)}",
            "the same judge, encoders and limits as here",
            "Give both the same MODERATION_* settings, judge and program, then start it anew.",
            is_other=True,
        )

    def close(self) -> None:
        """End the decoders; the next order would open anew."""
        opened = self.__dict__.pop("_dispatcher", None)
        if opened is not None:
            opened.__exit__(None, None, None)
