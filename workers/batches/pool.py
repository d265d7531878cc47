"""What a pool process of the queue `batch` works with."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from celery import Celery
from celery.exceptions import Ignore
from redis.exceptions import RedisError

from moderation.settings import Settings
from workers.batches.orders import Order
from workers.batches.scorer import BatchScorer, scorer_name
from workers.batches.signs import SIGN_SECONDS, Kind, Signs
from workers.heartbeat import Heart
from workers.queues import Queue

_log = logging.getLogger(__name__)


class BatchPool:
    """Answers orders. Made before the pool forks, so it opens nothing until it is asked to.

    app: one that keeps results. is_stopping: whether the pool is to end.
    """

    def __init__(self, app: Celery, settings: Settings, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._scorer = BatchScorer(settings)
        self._is_stopping = is_stopping
        self._is_over = threading.Event()
        self._ticket: str | None = None
        self._heart: Heart | None = None

    def register(self) -> None:
        """Give the application its task.

        A message is gone when its work is done, one way or the other: who sent it sends its files
        again, each alone, and the message of one that kills its worker never comes back.
        """
        self._app.task(
            self.score,
            name=str(Queue.BATCH),
            ignore_result=False,
            reject_on_worker_lost=False,
            # Rows name files, which are nobody's business in a log.
            resultrepr_maxsize=0,
        )

    def begin(self, heart: Heart) -> None:
        """The process was forked: from now on it gives signs of life."""
        self._heart = heart
        threading.Thread(target=self._give_signs, name="signs", daemon=True).start()

    def end(self) -> None:
        """The process ends in order."""
        self._is_over.set()
        self._scorer.close()
        with suppress(RedisError, OSError):
            self._signs.end(Kind.WORKER, scorer_name())

    def score(self, client: str, ticket: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Answer an order.

        Raises:
            Ignore: `client` does not wait for it any more, or another process is at it.
            RedisError: nobody knows; the client sends it again.
        """
        with self._heart.working() if self._heart is not None else nullcontext():
            if not self._signs.is_wanted(client, ticket) or ticket in self._signs.ages([ticket]):
                raise Ignore
            with self._at(ticket):
                return self._scorer.answer(
                    Order.from_json(order), lambda: self._is_needless(client, ticket)
                ).to_json()

    def _is_needless(self, client: str, ticket: str) -> bool:
        if self._is_stopping():
            return True
        try:
            return not self._signs.is_wanted(client, ticket)
        except (RedisError, OSError):
            return False

    @contextmanager
    def _at(self, ticket: str) -> Iterator[None]:
        self._signs.give(Kind.ORDER, ticket)
        self._ticket = ticket
        try:
            yield
        finally:
            self._ticket = None

    @property
    def _signs(self) -> Signs:
        return Signs(self._app.backend.client)

    def _give_signs(self) -> None:
        while not self._is_over.is_set():
            try:
                if self._is_stopping():
                    self._signs.end(Kind.WORKER, scorer_name())
                else:
                    self._signs.give(Kind.WORKER, scorer_name())
                if (ticket := self._ticket) is not None:
                    self._signs.give(Kind.ORDER, ticket)
            except (RedisError, OSError) as error:
                _log.warning("no sign of life: %s", error)
            self._is_over.wait(SIGN_SECONDS)
