"""Listings, page by page: each page starts where the last one ended, whatever came in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, func, or_, select, tuple_

from encoders.types import Modality
from moderation.review import rows
from moderation.review.tables import IS_LIVE, IS_WAITING, appeals, decisions, leases, tasks
from moderation.review.types import Appeal, AppealState, Decision, Desk, TaskRecord


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a listing by time goes on: after the entry with this time and id."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing of the queue goes on: after the task with this place in it."""

    lane: int
    priority: float
    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Only tasks with all of these; None: whichever. is_leased: in somebody's hands."""

    lane: int | None = None
    clause_id: str | None = None
    modality: Modality | None = None
    is_leased: bool = False


def place(record: TaskRecord) -> Place:
    """Of a task in the queue."""
    task = record.task
    return Place(task.lane, task.priority, task.created_at, task.id)


def waiting(
    connection: Connection,
    desk: Desk,
    *,
    where: TaskFilter | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Sequence[TaskRecord]:
    """What waits at a desk, in its order. For leads: it tells what reviewers are not told.

    where: only some of it, or what is in hand instead, in the same order.
    """
    query = _matching(desk, where or TaskFilter())
    if after is not None:
        later = tuple_(tasks.c.created_at, tasks.c.id) > (after.created_at, after.id)
        worse = or_(
            tasks.c.priority < after.priority,
            and_(tasks.c.priority == after.priority, later),
        )
        query = query.where(tasks.c.lane >= after.lane, or_(tasks.c.lane > after.lane, worse))
    query = query.order_by(tasks.c.lane, tasks.c.priority.desc(), tasks.c.created_at, tasks.c.id)
    return [rows.task_record(row) for row in connection.execute(query.limit(limit))]


def count_matching(
    connection: Connection, desk: Desk, where: TaskFilter, *, count_max: int = 10_000
) -> int:
    """How many tasks `waiting` would list; it stops counting at `count_max`."""
    some = _matching(desk, where).with_only_columns(tasks.c.id).limit(count_max).subquery()
    return int(connection.scalar(select(func.count()).select_from(some)) or 0)


def _matching(desk: Desk, where: TaskFilter) -> "Select[tuple[object, ...]]":
    query = select(tasks).where(IS_WAITING, tasks.c.desk == desk)
    if where.is_leased:
        held = select(leases.c.task_id).where(IS_LIVE)
        query = select(tasks).where(tasks.c.id.in_(held), tasks.c.desk == desk)
    for column, wanted in (
        (tasks.c.lane, where.lane),
        (tasks.c.clause_id, where.clause_id),
        (tasks.c.modality, where.modality),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return query


def decided(
    connection: Connection,
    *,
    reviewer_id: str | None = None,
    after: Moment | None = None,
    limit: int = 50,
) -> Sequence[Decision]:
    """Decisions, oldest first, those taken back among them; all, or of one reviewer."""
    query = select(decisions).order_by(decisions.c.decided_at, decisions.c.id)
    if reviewer_id is not None:
        query = query.where(decisions.c.reviewer_id == reviewer_id)
    if after is not None:
        key = tuple_(decisions.c.decided_at, decisions.c.id)
        query = query.where(key > (after.at, after.id))
    return [rows.decision(row) for row in connection.execute(query.limit(limit))]


def appealed(
    connection: Connection,
    *,
    state: AppealState | None = None,
    after: Moment | None = None,
    limit: int = 50,
) -> Sequence[Appeal]:
    """Appeals, oldest first; all, or those in one state."""
    query = select(appeals).order_by(appeals.c.filed_at, appeals.c.id)
    if state is not None:
        query = query.where(appeals.c.state == state)
    if after is not None:
        query = query.where(tuple_(appeals.c.filed_at, appeals.c.id) > (after.at, after.id))
    return [rows.appeal(row) for row in connection.execute(query.limit(limit))]


def count_appeals(connection: Connection) -> dict[AppealState, int]:
    """How many appeals are in each state."""
    found = connection.execute(select(appeals.c.state, func.count()).group_by(appeals.c.state))
    counts = {AppealState(state): count for state, count in found}
    return {state: counts.get(state, 0) for state in AppealState}
