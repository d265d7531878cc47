"""Prometheus gauges that are read from the database when somebody asks."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from moderation.casework.surveillance import (
    SampleError,
    dead_jobs,
    job_levels,
    random_sample_error,
)
from moderation.database import reading
from moderation.review.rules import ReviewRules
from moderation.review.service_level import service_level

SLA_PERIOD = timedelta(hours=24)
SAMPLE_PERIOD = timedelta(days=30)
SAMPLE_KEPT = timedelta(minutes=10)
"""The error on the sample costs a pass over a month of rulings: it is asked for this often."""

Clock = Callable[[], datetime]


class _FromDatabase(Collector):
    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked at registration."""
        return iter(())


class JobCollector(_FromDatabase):
    """Queues, their ages, and dead letters."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        depth = GaugeMetricFamily(
            "moderation_jobs", "Jobs to be done or under way.", labels=("kind", "state")
        )
        age = GaugeMetricFamily(
            "moderation_job_due_seconds",
            "How long the job that waits longest could have been begun.",
            labels=("kind",),
        )
        dead = GaugeMetricFamily(
            "moderation_dead_letters",
            "Jobs that ended without a score, by error; their items are in review.",
            labels=("kind", "code"),
        )
        with reading(self._engine) as connection:
            levels = job_levels(connection, now=self._clock())
            buried = dead_jobs(connection)
        for level in levels:
            depth.add_metric((level.kind, "waiting"), level.waiting)
            depth.add_metric((level.kind, "retrying"), level.retrying)
            depth.add_metric((level.kind, "leased"), level.leased)
            age.add_metric((level.kind,), level.due_seconds)
        for one in buried:
            dead.add_metric((one.kind, one.error_code), one.count)
        yield from (depth, age, dead)


class ReviewLevelCollector(_FromDatabase):
    """Whether review keeps its times."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        labels = ("lane", "clause")
        overdue = GaugeMetricFamily(
            "moderation_review_overdue", "Tasks that wait beyond their time.", labels=labels
        )
        closed = GaugeMetricFamily(
            "moderation_review_closed", "Tasks closed in the last 24 hours.", labels=labels
        )
        late = GaugeMetricFamily(
            "moderation_review_closed_late", "Of these, beyond their time.", labels=labels
        )
        age = GaugeMetricFamily(
            "moderation_review_age_seconds", "Age of what waits.", labels=("percentile",)
        )
        now = self._clock()
        with reading(self._engine) as connection:
            found = service_level(connection, now=now, since=now - SLA_PERIOD, capacity_minutes=0.0)
        for lane in found.lanes:
            of = (str(lane.lane), lane.clause_id)
            overdue.add_metric(of, lane.overdue)
            closed.add_metric(of, lane.closed)
            late.add_metric(of, lane.closed_late)
        for percentile, seconds in found.age_seconds.items():
            age.add_metric((str(percentile),), seconds)
        yield from (overdue, closed, late, age)


class CalibrationCollector(_FromDatabase):
    """What the probabilities are worth on the random sample of the last 30 days."""

    def __init__(self, engine: Engine, clock: Clock, rules: ReviewRules) -> None:
        self._engine, self._clock, self._rules = engine, clock, rules
        self._lock = threading.Lock()
        self._kept: tuple[datetime, SampleError] | None = None

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        found = self._found()
        yield GaugeMetricFamily(
            "moderation_random_sample_items",
            "Ruled items of the random sample of the last 30 days.",
            value=found.items,
        )
        error = GaugeMetricFamily(
            "moderation_random_sample_calibration_error",
            "Expected calibration error on these items; none without items.",
        )
        if found.items:
            error.add_metric((), found.expected_error)
        yield error

    def _found(self) -> SampleError:
        now = self._clock()
        with self._lock:
            if self._kept is None or not timedelta(0) <= now - self._kept[0] < SAMPLE_KEPT:
                with reading(self._engine) as connection:
                    error = random_sample_error(
                        connection, self._rules, since=now - SAMPLE_PERIOD, now=now
                    )
                self._kept = (now, error)
            return self._kept[1]
