"""What is in somebody's hands: their leases, and what they decided a moment ago."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from moderation.review import rows
from moderation.review.errors import NotFound
from moderation.review.tables import IS_LIVE, IS_WAITING, STANDS, decisions, leases, tasks
from moderation.review.types import Claim, Decision, Desk, Lease, TaskRecord


def find_task(connection: Connection, task_id: str) -> TaskRecord:
    """Raises:
    NotFound: no task of that id.
    """
    row = connection.execute(select(tasks).where(tasks.c.id == task_id)).one_or_none()
    if row is None:
        raise _not_in_hand(task_id)
    return rows.task_record(row)


def visible_task(
    connection: Connection, task_id: str, reviewer_id: str, *, sees_all: bool
) -> TaskRecord:
    """A task in this reviewer's hands; any, for whoever sees all.

    Raises:
        NotFound: there is none, or it is not in these hands. The two look alike.
    """
    record = find_task(connection, task_id)
    if not sees_all and live_lease(connection, task_id, reviewer_id) is None:
        raise _not_in_hand(task_id)
    return record


def live_lease(connection: Connection, task_id: str, reviewer_id: str) -> Lease | None:
    """The reviewer's own lease on a task, while it has not ended."""
    query = select(leases).where(
        leases.c.task_id == task_id, leases.c.reviewer_id == reviewer_id, IS_LIVE
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else rows.lease(row)


def in_hand(connection: Connection, reviewer_id: str) -> Sequence[Claim]:
    """What a reviewer has claimed and not ended, oldest first."""
    held = select(leases).where(leases.c.reviewer_id == reviewer_id, IS_LIVE)
    found = [rows.lease(row) for row in connection.execute(held.order_by(leases.c.granted_at))]
    return [Claim(find_task(connection, lease.task_id).task, lease) for lease in found]


def newest_decision(
    connection: Connection, reviewer_id: str, *, since: datetime
) -> Decision | None:
    """The last decision of a reviewer after `since` that was not taken back."""
    query = select(decisions).where(
        decisions.c.reviewer_id == reviewer_id, decisions.c.decided_at > since, STANDS
    )
    newest = query.order_by(decisions.c.decided_at.desc(), decisions.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else rows.decision(row)


def count_waiting(connection: Connection) -> dict[tuple[Desk, int], int]:
    """How many tasks wait, by desk and lane; without those of which there are none."""
    found = connection.execute(
        select(tasks.c.desk, tasks.c.lane, func.count())
        .where(IS_WAITING)
        .group_by(tasks.c.desk, tasks.c.lane)
        .order_by(tasks.c.desk, tasks.c.lane)
    )
    return {(Desk(desk), lane): count for desk, lane, count in found}


def count_group(connection: Connection, group_id: str | None) -> int:
    """How many tasks of a group wait."""
    if group_id is None:
        return 0
    query = select(func.count()).select_from(tasks).where(IS_WAITING, tasks.c.group_id == group_id)
    return int(connection.scalar(query) or 0)


def _not_in_hand(task_id: str) -> NotFound:
    return NotFound(
        f"no task {task_id[:80]!r} in your hands",
        expected="a task that you have claimed",
        remedy="Claim one.",
    )
