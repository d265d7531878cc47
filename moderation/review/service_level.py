"""Capacity against backlog, ages, breaches and throughput."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from moderation.review.tables import IS_WAITING, STANDS, decisions, tasks
from moderation.review.types import TaskKind, TaskState


@dataclass(frozen=True, slots=True)
class LaneLevel:
    """One lane and clause: what waits, and what of it, or of what was closed, came too late.

    backlog_minutes: expected handling time of all that waits. overdue: waits beyond its time.
    closed_late: was closed beyond its time, in the period.
    """

    lane: int
    clause_id: str
    waiting: int
    backlog_minutes: float
    overdue: int
    closed: int
    closed_late: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a reviewer did in the period; minutes: from claim to decision, of single decisions."""

    reviewer_id: str
    decisions: int
    in_bulk: int
    minutes: float


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """How review keeps up.

    age_seconds: of what waits, by percentile; empty where nothing does. capacity_minutes: of
    reviewing an hour, as given.
    """

    at: datetime
    since: datetime
    waiting: int
    backlog_minutes: float
    capacity_minutes: float
    age_seconds: Mapping[int, float]
    lanes: Sequence[LaneLevel]
    reviewers: Sequence[Throughput]

    @property
    def hours_of_work(self) -> float:
        """How long the backlog takes at this capacity; infinite without any."""
        if self.backlog_minutes == 0:
            return 0.0
        if self.capacity_minutes == 0:
            return float("inf")
        return self.backlog_minutes / self.capacity_minutes


def service_level(
    connection: Connection,
    *,
    now: datetime,
    since: datetime,
    capacity_minutes: float,
    percentiles: Sequence[int] = (50, 90, 99, 100),
) -> ServiceLevel:
    """The report at `now` on the period from `since` on. Golden items are left out.

    capacity_minutes: of reviewing that the team does in an hour.
    """
    lanes = _lanes(connection, now, since)
    waiting = sum(lane.waiting for lane in lanes)
    return ServiceLevel(
        at=now,
        since=since,
        waiting=waiting,
        backlog_minutes=sum(lane.backlog_minutes for lane in lanes),
        capacity_minutes=capacity_minutes,
        age_seconds=_ages(connection, now, waiting, percentiles) if waiting else {},
        lanes=lanes,
        reviewers=_throughput(connection, now, since),
    )


def _lanes(connection: Connection, now: datetime, since: datetime) -> list[LaneLevel]:
    is_open = tasks.c.state == TaskState.WAITING
    is_closed = tasks.c.state == TaskState.DECIDED
    found = connection.execute(
        select(
            tasks.c.lane,
            tasks.c.clause_id,
            func.count().filter(is_open),
            func.coalesce(func.sum(tasks.c.handling_minutes).filter(is_open), 0.0),
            func.count().filter(is_open, tasks.c.due_at < now),
            func.count().filter(is_closed),
            func.count().filter(is_closed, tasks.c.due_at < tasks.c.closed_at),
        )
        .where(
            tasks.c.kind != TaskKind.GOLDEN,
            or_(is_open, is_closed & (tasks.c.closed_at >= since)),
        )
        .group_by(tasks.c.lane, tasks.c.clause_id)
        .order_by(tasks.c.lane, tasks.c.clause_id)
    )
    return [LaneLevel(*row) for row in found]


def _ages(
    connection: Connection, now: datetime, waiting: int, percentiles: Sequence[int]
) -> dict[int, float]:
    """The age that p % of what waits do not exceed (nearest rank)."""
    ages = {}
    for percentile in percentiles:
        rank = max(-(-percentile * waiting // 100), 1)
        born = connection.scalar(
            select(tasks.c.created_at)
            .where(IS_WAITING)
            .order_by(tasks.c.created_at.desc())
            .offset(rank - 1)
            .limit(1)
        )
        if born is not None:
            ages[percentile] = (now - born).total_seconds()
    return ages


def _throughput(connection: Connection, now: datetime, since: datetime) -> list[Throughput]:
    found = connection.execute(
        select(
            decisions.c.reviewer_id,
            decisions.c.bulk_id,
            decisions.c.claimed_at,
            decisions.c.decided_at,
        )
        .where(STANDS, decisions.c.decided_at >= since, decisions.c.decided_at <= now)
        .execution_options(yield_per=1000)
    )
    count: dict[str, list[float]] = {}
    for reviewer_id, bulk_id, claimed_at, decided_at in found:
        sums = count.setdefault(reviewer_id, [0, 0, 0.0])
        sums[0] += 1
        if bulk_id is None:
            sums[2] += (decided_at - claimed_at).total_seconds() / 60
        else:
            sums[1] += 1
    return [
        Throughput(name, int(sums[0]), int(sums[1]), sums[2])
        for name, sums in sorted(count.items())
    ]
