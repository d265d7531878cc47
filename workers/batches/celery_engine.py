"""`moderation score --engine celery`: files go to the workers of the queue `batch`, by path."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import ClassVar

from moderation.closing import Closing
from moderation.dispatch import ScoringParts
from moderation.results import RunContext
from moderation.types import ItemResult, Mode
from workers.app import broker_url
from workers.batches.exchange import Exchange
from workers.batches.ledger import Ledger
from workers.batches.orders import Order
from workers.batches.running import Patience, Run
from workers.batches.terms import scoring_terms

HELD_ORDERS_MAX = 64


class CeleryEngine(Closing):
    """See `moderation.ports.BatchEngine`; loads no model.

    The files of an order whose worker is lost go out again, each alone: one that ends its worker
    each time gets a row that says so, and all others their scores.
    """

    is_remote: ClassVar[bool] = True

    def __init__(self, parts: ScoringParts, *, patience: Patience | None = None) -> None:
        broker_url(parts.settings)  # a missing one is told at once
        self._parts, self._patience = parts, patience or Patience()
        self.judge_id, self.setup, self.limits = parts.judge_id, parts.setup, parts.limits

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`.

        Raises:
            NoWorkers: nobody works the queue off.
            BrokerSilent: the broker does not answer.
            WorkerDiffers, WorkerUnfit: a worker's judge or settings are others, or do not work.
        """
        ahead, settings = iter(paths), self._parts.settings
        for first in ahead:
            size = settings.batch_items_max
            ledger = Ledger(chain([first], ahead), size=size, held_max=HELD_ORDERS_MAX * size)
            with Exchange(settings) as exchange:
                order = self._order(mode, rationales)
                yield from Run(exchange, ledger, order, self._patience).results()

    def _order(self, mode: Mode, rationales: int) -> Order:
        context = RunContext(mode, self.judge_id, rationales, self.setup, self.limits)
        return Order(scoring_terms(self._parts.settings, context), mode, rationales, ())

    def close(self) -> None:
        """Nothing is open between two batches."""
        self._parts.resources.close()
