"""What each reviewer has in hand, how long they have worked without a break, and what they saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from moderation.review import rows
from moderation.review.tables import IS_LIVE, leases, reviewers
from moderation.review.types import Reviewer
from moderation.review.wellness import DAY, Work, break_ends_at, go_on


@dataclass(frozen=True, slots=True)
class Workload:
    """One reviewer now.

    in_hand: tasks that they hold. harmful: tasks marked harmful that they were given in the last
    24 hours. stretch: of work without a break; 0 after one. break_until: the end of a break that
    is due; None where none is. last_active_at: None before the first task.
    """

    reviewer: Reviewer
    in_hand: int
    harmful: int
    stretch: timedelta
    break_until: datetime | None
    last_active_at: datetime | None

    @property
    def until_break(self) -> timedelta:
        """Work that is left until a break is due; 0 where one is."""
        limit = timedelta(minutes=self.reviewer.wellness.work_minutes)
        return max(limit - self.stretch, timedelta(0))


def workloads(connection: Connection, *, now: datetime) -> Sequence[Workload]:
    """Of everybody who is enrolled, by name; inactive ones last."""
    held: dict[str, int] = {
        row[0]: row[1]
        for row in connection.execute(
            select(leases.c.reviewer_id, func.count()).where(IS_LIVE).group_by(leases.c.reviewer_id)
        )
    }
    seen: dict[str, int] = {
        row[0]: row[1]
        for row in connection.execute(
            select(leases.c.reviewer_id, func.count())
            .where(leases.c.granted_at > now - DAY, leases.c.is_harmful)
            .group_by(leases.c.reviewer_id)
        )
    }
    order = (reviewers.c.is_active.desc(), reviewers.c.id)
    found = []
    for row in connection.execute(select(reviewers).order_by(*order)):
        work = None
        if row.work_began_at is not None and row.last_active_at is not None:
            work = Work(row.work_began_at, row.last_active_at).seen_at(now)
        reviewer, in_hand = rows.reviewer(row), held.get(row.id, 0)
        found.append(_workload(reviewer, work, in_hand, seen.get(row.id, 0), now))
    return found


def _workload(
    reviewer: Reviewer, work: Work | None, in_hand: int, harmful: int, now: datetime
) -> Workload:
    last = None if work is None else work.last_at
    if work is not None and in_hand:
        # Whoever holds a task is at work, as when they claim the next one.
        work = Work(work.began_at, now)
    stretch = go_on(reviewer.wellness, work, now)
    until = None if work is None else break_ends_at(reviewer.wellness, work, now)
    return Workload(reviewer, in_hand, harmful, stretch.last_at - stretch.began_at, until, last)
