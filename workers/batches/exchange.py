"""The client's side of the queue `batch`: orders out, answers in, and whether anybody is there."""

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from celery import states
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from moderation.settings import Settings
from workers.app import make_app
from workers.batches.errors import BrokerSilent
from workers.batches.ledger import Work
from workers.batches.orders import Answer, Order
from workers.batches.signs import LIVING_SECONDS, SENT, SIGN_SECONDS, Kind, Signs
from workers.queues import Queue

_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
UNHEARD_SECONDS = 15.0
SILENT_SECONDS_MAX = 30.0
T = TypeVar("T")
_NOT_THERE = (RedisError, OperationalError, OSError)


@dataclass(slots=True)
class _Sent:
    """By the monotonic clock: heard, the last sign of life of whoever has begun with it;
    missed_since, when it was neither begun nor in the queue any more."""

    work: Work
    heard: float | None = None
    missed_since: float | None = None

    def hear(self, age_seconds: float | None) -> None:
        """The age of the last sign. None: there is none, or it was forgotten with the rest."""
        if age_seconds is not None:
            self.heard = max(self.heard or -math.inf, time.monotonic() - age_seconds)

    @property
    def is_silent(self) -> bool:
        """Whether whoever had begun with it is gone."""
        return self.heard is not None and time.monotonic() - self.heard > LIVING_SECONDS

    def is_missed(self, waiting: int) -> bool:
        """Whether it has been gone for long. waiting: messages in the queue."""
        now = time.monotonic()
        if waiting or self.heard is not None:
            self.missed_since = None
        elif self.missed_since is None:
            self.missed_since = now
        return self.missed_since is not None and now - self.missed_since > UNHEARD_SECONDS


@dataclass(frozen=True, slots=True)
class Returned:
    """Work that is out no more.

    answer: None where it was lost. fault: how; None where nobody ever began with it.
    """

    work: Work
    answer: Answer | None = None
    fault: str | None = None


class Exchange:
    """A connection to the broker. A context manager: at its end nobody waits for anything.

    Raises:
        BrokerSilent: from any method, when the broker has not answered for long.
    """

    def __init__(self, settings: Settings) -> None:
        self._app = make_app(settings, has_results=True)
        self._client = uuid.uuid4().hex
        self._sent: dict[str, _Sent] = {}
        self._answered = -1.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_wanting, name="wanting", daemon=True)

    @property
    def under_way(self) -> int:
        """Orders that are out."""
        return len(self._sent)

    def living(self, kind: Kind) -> int | None:
        """Workers of the queue, or orders that they are at, of whomever. None: nobody knows."""
        return self._ask(lambda: self._signs.living(kind))

    def send(self, work: Work, order: Order) -> bool:
        """Whether the broker took it."""
        ticket = uuid.uuid4().hex

        def deliver() -> bool:
            self._signs.want(self._client, [ticket])
            self._app.send_task(
                Queue.BATCH,
                kwargs={"client": self._client, "ticket": ticket, "order": order.to_json()},
                kwargsrepr=f"{len(work.paths)} files",
                queue=Queue.BATCH,
                headers={SENT: self._signs.now()},
                task_id=ticket,
                retry=True,
                retry_policy=_ONCE_MORE,
            )
            self._sent[ticket] = _Sent(work)
            return True

        return self._ask(deliver) is True

    def returned(self) -> list[Returned]:
        """What has come back since, in no order."""
        found: list[Returned] = []
        self._ask(lambda: found.extend(self._returned()))
        return found

    def _returned(self) -> Iterator[Returned]:
        ages = self._signs.ages(list(self._sent))
        waiting = int(self._app.backend.client.llen(Queue.BATCH))
        for ticket, sent in list(self._sent.items()):
            meta: dict[str, Any] = self._app.backend.get_task_meta(ticket, cache=False)
            status = meta["status"]
            sent.hear(ages.get(ticket))
            if status == states.SUCCESS:
                yield self._over(ticket, Answer.from_json(meta["result"]))
            elif status in states.PROPAGATE_STATES:
                yield self._over(ticket, fault=f"{meta['result']!r:.300}")
            elif sent.is_silent:
                yield self._over(ticket, fault="no sign of life")
            elif sent.is_missed(waiting):
                yield self._over(ticket)

    def _over(
        self, ticket: str, answer: Answer | None = None, *, fault: str | None = None
    ) -> Returned:
        work = self._sent.pop(ticket).work
        with suppress(*_NOT_THERE):
            self._signs.unwant(self._client, ticket)
            self._app.backend.forget(ticket)
        return Returned(work, answer, fault)

    def _ask(self, question: Callable[[], T]) -> T | None:
        """The broker's answer; None where it gives none, unless that lasts."""
        try:
            answer = question()
        except _NOT_THERE as error:
            if self._answered < 0 or time.monotonic() - self._answered > SILENT_SECONDS_MAX:
                raise BrokerSilent(
                    f"the broker does not answer: {error}",
                    expected="a Redis server at MODERATION_BROKER_URL",
                    remedy="Start it (`moderation up` has one), or correct the setting.",
                ) from error
            return None
        self._answered = time.monotonic()
        return answer

    @property
    def _signs(self) -> Signs:
        return Signs(self._app.backend.client)

    def _keep_wanting(self) -> None:
        """Also while the caller is busy with rows."""
        while not self._is_over.wait(SIGN_SECONDS):
            with suppress(*_NOT_THERE):
                self._signs.want(self._client, list(self._sent))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        with suppress(*_NOT_THERE):
            self._signs.leave(self._client)
            for ticket in list(self._sent):
                self._app.backend.forget(ticket)
        self._app.close()
