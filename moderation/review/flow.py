"""What came in and what was closed, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from moderation.review.tables import tasks
from moderation.review.types import TaskKind, TaskState

DAYS_MAX = 92


@dataclass(frozen=True, slots=True)
class DayFlow:
    """24 hours from `begin` on. closed_late: of those closed, beyond their time."""

    begin: datetime
    arrived: int
    closed: int
    closed_late: int


def daily_flow(connection: Connection, *, now: datetime, days: int) -> Sequence[DayFlow]:
    """The `days` periods of 24 hours that end at `now`, the oldest first. Without golden items.

    Raises:
        ValueError: none, or more than `DAYS_MAX` days.
    """
    if not 1 <= days <= DAYS_MAX:
        raise ValueError(f"{days} days, between 1 and {DAYS_MAX} can be asked for")
    begins = [now - timedelta(days=days - k) for k in range(days)]
    is_closed = tasks.c.state == TaskState.DECIDED
    counts = []
    for begin in begins:
        end = begin + timedelta(days=1)
        arrived = (tasks.c.created_at >= begin) & (tasks.c.created_at < end)
        closed = is_closed & (tasks.c.closed_at >= begin) & (tasks.c.closed_at < end)
        late = closed & (tasks.c.due_at < tasks.c.closed_at)
        counts += [func.count().filter(one) for one in (arrived, closed, late)]
    row = connection.execute(
        select(*counts).where(
            tasks.c.kind != TaskKind.GOLDEN,
            or_(tasks.c.created_at >= begins[0], tasks.c.closed_at >= begins[0]),
        )
    ).one()
    return [DayFlow(begin, *row[3 * k : 3 * k + 3]) for k, begin in enumerate(begins)]
