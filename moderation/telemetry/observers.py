"""Who is told of what happens: stages that end, jobs that come again, items that get a route.

A process has one list of observers, as it has one list of log handlers. Without any, nothing is
counted.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told, and must neither wait nor raise."""

    def stage_ended(self, stage: str, seconds: float, error_code: str | None) -> None:
        """One stage has ended, of one item or of one batch. error_code: None where it went well."""
        ...

    def job_retried(self, kind: str, error_code: str) -> None:
        """A job failed and will be tried again."""
        ...

    def item_settled(self, disposition: str, mode: str, expected_score: float | None) -> None:
        """An item has its route. expected_score: 0 to 9, None where it could not be scored."""
        ...


_observers: list[Observer] = []


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Have `observer` told while this lasts."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def tell(news: Callable[[Observer], None]) -> None:
    """Tell every observer; what goes wrong there is logged, and stops no item."""
    for observer in tuple(_observers):
        try:
            news(observer)
        except Exception:
            _log.exception("an observer failed")
