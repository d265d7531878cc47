"""Prometheus metrics of one process, and of the queue as the database has it."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select

from moderation.database import reading
from moderation.review.tables import IS_WAITING, tasks

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Requests by method, route and status. Strangers' methods are counted as one, so that they
    cannot fill the memory."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "moderation_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "moderation_http_request_seconds",
            "Time from the request to the end of its answer.",
            ("method", "route"),
            registry=registry,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request has ended."""
        method = method if method in METHODS else "other"
        self._count.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class QueueCollector(Collector):
    """What waits for review, by desk and lane, counted when somebody asks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked at registration."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "moderation_review_waiting", "Tasks that wait for a person.", labels=("desk", "lane")
        )
        minutes = GaugeMetricFamily(
            "moderation_review_backlog_minutes",
            "Expected handling time of what waits.",
            labels=("desk", "lane"),
        )
        with reading(self._engine) as connection:
            found = connection.execute(
                select(
                    tasks.c.desk,
                    tasks.c.lane,
                    func.count(),
                    func.sum(tasks.c.handling_minutes),
                )
                .where(IS_WAITING)
                .group_by(tasks.c.desk, tasks.c.lane)
            ).all()
        for desk, lane, count, sum_minutes in found:
            waiting.add_metric((desk, str(lane)), count)
            minutes.add_metric((desk, str(lane)), sum_minutes)
        yield waiting
        yield minutes
