"""What came in and what was closed, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Column, ColumnElement, Connection, String, func, select

from moderation.review.tables import tasks
from moderation.review.types import TaskKind, TaskState

DAYS_MAX = 92


@dataclass(frozen=True, slots=True)
class DayFlow:
    """A day in UTC. closed_late: of those closed, beyond their time."""

    day: date
    arrived: int
    closed: int
    closed_late: int


def daily_flow(connection: Connection, *, now: datetime, days: int) -> Sequence[DayFlow]:
    """The last `days` days, the oldest first; today is the last of them. Without golden items.

    Raises:
        ValueError: none, or more than `DAYS_MAX` days.
    """
    if not 1 <= days <= DAYS_MAX:
        raise ValueError(f"{days} days, between 1 and {DAYS_MAX} can be asked for")
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    begin = datetime.combine(first, time(), UTC)
    is_real = tasks.c.kind != TaskKind.GOLDEN
    born, gone = _day(connection, tasks.c.created_at), _day(connection, tasks.c.closed_at)
    arrived: dict[str, int] = {
        row[0]: row[1]
        for row in connection.execute(
            select(born, func.count()).where(is_real, tasks.c.created_at >= begin).group_by(born)
        )
    }
    is_late = tasks.c.due_at < tasks.c.closed_at
    closed = {
        row[0]: (row[1], row[2])
        for row in connection.execute(
            select(gone, func.count(), func.count().filter(is_late))
            .where(is_real, tasks.c.state == TaskState.DECIDED, tasks.c.closed_at >= begin)
            .group_by(gone)
        )
    }
    named = [first + timedelta(days=k) for k in range(days)]
    return [DayFlow(day, arrived.get(f"{day}", 0), *closed.get(f"{day}", (0, 0))) for day in named]


def _day(connection: Connection, column: Column[datetime]) -> ColumnElement[str]:
    """`YYYY-MM-DD` of a moment, in UTC."""
    if connection.dialect.name == "sqlite":
        return func.date(column, type_=String)
    return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD", type_=String)
