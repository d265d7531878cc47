"""Prometheus gauges of the queue `batch`, read from the broker when somebody asks."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from workers.batches.signs import SENT, Signs
from workers.queues import Queue

_log = logging.getLogger(__name__)


class BatchCollector(Collector):
    """Orders that wait or are under way, under the names that jobs in the database have.

    client: of the broker's Redis, for each time that somebody asks. A broker that is silent gives
    no figure.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def describe(self) -> Iterator[Metric]:
        """Nothing: the broker is not asked at registration."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        depth = GaugeMetricFamily(
            "moderation_jobs", "Orders of files to be done or under way.", labels=("kind", "state")
        )
        age = GaugeMetricFamily(
            "moderation_job_due_seconds",
            "How long the order that waits longest could have been begun.",
            labels=("kind",),
        )
        try:
            redis = self._client()
            waiting, signs = int(redis.llen(Queue.BATCH)), Signs(redis)
            oldest, now = redis.lindex(Queue.BATCH, -1), signs.now()
            depth.add_metric((Queue.BATCH, "waiting"), waiting)
            depth.add_metric((Queue.BATCH, "leased"), max(signs.out() - waiting, 0))
            age.add_metric((Queue.BATCH,), 0.0 if oldest is None else max(now - _sent(oldest), 0.0))
        except (RedisError, OSError) as error:
            _log.warning("no figures of the queue: %s", error)
        yield from (depth, age)


def _sent(message: bytes) -> float:
    return float(json.loads(message)["headers"][SENT])
