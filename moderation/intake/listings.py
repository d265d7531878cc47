"""What is known of items: looked up by id, and listed page by page from a key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_

from moderation.intake import rows
from moderation.intake.submission import unknown
from moderation.intake.tables import dispositions, items, jobs, reports
from moderation.intake.types import (
    DispositionRecord,
    Item,
    ItemState,
    Job,
    JobState,
    Report,
)


@dataclass(frozen=True, slots=True)
class After:
    """Where a listing goes on: after the entry with this time and id."""

    at: datetime
    id: str


def find_item(connection: Connection, item_id: str) -> Item:
    """The item of an id.

    Raises:
        UnknownItem: there is none.
    """
    row = connection.execute(select(items).where(items.c.id == item_id)).one_or_none()
    if row is None:
        raise unknown(item_id)
    return rows.item(row)


def list_items(
    connection: Connection,
    *,
    state: ItemState | None = None,
    uploader: str | None = None,
    after: After | None = None,
    limit: int = 50,
    is_newest_first: bool = False,
) -> Sequence[Item]:
    """Items, oldest first unless told otherwise; all, or those in one state, or of one uploader."""
    place = tuple_(items.c.created_at, items.c.id)
    order = (items.c.created_at, items.c.id)
    query = select(items).order_by(*(one.desc() if is_newest_first else one for one in order))
    if state is not None:
        query = query.where(items.c.state == state)
    if uploader is not None:
        query = query.where(items.c.uploader == uploader)
    if after is not None:
        key = (after.at, after.id)
        query = query.where(place < key if is_newest_first else place > key)
    return [rows.item(row) for row in connection.execute(query.limit(limit))]


def reports_on(connection: Connection, item_id: str) -> Sequence[Report]:
    """The notices about an item, oldest first."""
    query = select(reports).where(reports.c.item_id == item_id)
    found = connection.execute(query.order_by(reports.c.created_at, reports.c.id))
    return [rows.report(row) for row in found]


def dispositions_of(connection: Connection, item_id: str) -> Sequence[DispositionRecord]:
    """The item's route under each policy that it was triaged by, the newest first."""
    query = select(dispositions).where(dispositions.c.item_id == item_id)
    newest = query.order_by(dispositions.c.settled_at.desc(), dispositions.c.policy_id)
    return [rows.disposition(row) for row in connection.execute(newest)]


def jobs_of(connection: Connection, item_id: str) -> Sequence[Job]:
    """The work on an item, oldest first."""
    query = select(jobs).where(jobs.c.item_id == item_id).order_by(jobs.c.created_at, jobs.c.id)
    return [rows.job(row) for row in connection.execute(query)]


def dead_jobs(
    connection: Connection, *, after: After | None = None, limit: int = 50
) -> Sequence[Job]:
    """Jobs that ended without a score, oldest first."""
    query = select(jobs).where(jobs.c.state == JobState.DEAD)
    if after is not None:
        query = query.where(tuple_(jobs.c.closed_at, jobs.c.id) > (after.at, after.id))
    found = connection.execute(query.order_by(jobs.c.closed_at, jobs.c.id).limit(limit))
    return [rows.job(row) for row in found]


def count_jobs(connection: Connection) -> dict[JobState, int]:
    """How many jobs are in each state."""
    found = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))
    counts = {JobState(state): count for state, count in found}
    return {state: counts.get(state, 0) for state in JobState}
