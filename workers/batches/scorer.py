"""Scores the files of an order in this process: the same in a Celery worker and in a Ray actor."""

import os
import socket
from collections.abc import Callable
from functools import cached_property
from itertools import takewhile

from moderation.app import build_dispatcher
from moderation.errors import TypedError
from moderation.ports import Dispatcher
from moderation.results import RunContext, to_row
from moderation.settings import Settings
from moderation.types import Mode
from workers.batches.orders import Answer, Order, Refusal
from workers.batches.terms import differences, scoring_terms


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
            found = self._dispatcher.score(ahead, order.mode, rationales=order.rationales)
            return Answer(name, tuple(to_row(result, context) for result in found))
        except TypedError as error:
            return Answer(name, refusal=Refusal.of(error))

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
