"""One batch on the queue `batch`, from the first order to the last row."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from moderation.types import ItemResult
from workers.batches.errors import LOST_AT_FIRST_MAX, NoWorkers
from workers.batches.exchange import Exchange, Returned
from workers.batches.ledger import Ledger
from workers.batches.orders import Order
from workers.batches.signs import Kind

ORDERS_A_WORKER = 2
"""One that it works on, and one that waits for it."""
_TICK_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_REMEDY = (
    "Start one with the same settings, `moderation worker --queues batch`, and see what it logs; "
    "rows in --out are kept, go on with --resume."
)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds nobody need be there.

    start: at first. again: later, while workers are started anew perhaps. idle: with workers that
    live, but take nothing up.
    """

    start: float = 15.0
    again: float = 60.0
    idle: float = 120.0


class Run:
    """Sends out what `ledger` gives, as much as the workers that live can do soon.

    order: without its paths.
    """

    def __init__(
        self, exchange: Exchange, ledger: Ledger, order: Order, patience: Patience
    ) -> None:
        self._exchange, self._ledger, self._order = exchange, ledger, order
        self._patience = patience
        self._workers = 0
        self._looked = -_LOOK_SECONDS
        self._there = self._busy = time.monotonic()
        self._has_met = self._has_answer = False
        self._lost = 0

    def results(self) -> Iterator[ItemResult]:
        """Rows in the order of the inputs.

        Raises:
            NoWorkers, BrokerSilent, WorkerDiffers, WorkerUnfit: it cannot go on.
        """
        while True:
            yield from self._ledger.ready()
            self._look()
            if not self._send() and self._ledger.is_idle:
                return
            returned = self._exchange.returned()
            for one in returned:
                self._take(one)
            if not returned:
                time.sleep(_TICK_SECONDS)

    def _send(self) -> bool:
        """Whether there is, or may be, more to send."""
        while self._exchange.under_way < ORDERS_A_WORKER * self._workers:
            work = self._ledger.give()
            if work is None:
                return False
            order = Order(
                self._order.terms, self._order.mode, self._order.rationales, work.absolute
            )
            if not self._exchange.send(work, order):
                self._ledger.put_back(work)
                return True
        return True

    def _take(self, returned: Returned) -> None:
        work, answer = returned.work, returned.answer
        if answer is not None:
            self._has_answer = True
            self._ledger.came(work, answer.results())
        elif returned.fault is not None:
            self._ledger.lost(work, returned.fault)
            self._note_lost(returned.fault)
        else:
            self._ledger.put_back(work)

    def _note_lost(self, fault: str) -> None:
        self._lost += 1
        if not self._has_answer and self._lost >= LOST_AT_FIRST_MAX:
            raise NoWorkers(
                f"workers gave no answer to each of the first {self._lost} orders: {fault}",
                expected="workers that live",
                remedy=_REMEDY,
            )

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        workers, orders = (self._exchange.living(kind) for kind in Kind)
        if workers is None or orders is None:
            self._there = self._busy = now
            return
        self._workers = workers
        if workers:
            self._there, self._has_met = now, True
        if orders or not workers or not self._exchange.under_way:
            self._busy = now
        self._judge(now)

    def _judge(self, now: float) -> None:
        patience = self._patience.again if self._has_met else self._patience.start
        if now - self._there > patience:
            raise NoWorkers(
                f"nobody has worked the queue 'batch' off for {patience:g} seconds",
                expected="a worker at the broker of MODERATION_BROKER_URL",
                remedy=_REMEDY,
            )
        if now - self._busy > self._patience.idle:
            raise NoWorkers(
                f"{self._workers} workers live, and took nothing up for "
                f"{self._patience.idle:g} seconds",
                expected="workers that begin with what is in the queue",
                remedy=_REMEDY,
            )
