"""Dead jobs: those that ended without a result. Their items are in review."""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, update

from moderation.audit.store import append
from moderation.casework.recording import job_retried
from moderation.intake import rows
from moderation.intake.errors import UnknownJob
from moderation.intake.listings import find_item
from moderation.intake.tables import jobs, results
from moderation.intake.types import Item, ItemState, Job, JobState


def find_dead(connection: Connection, job_id: str) -> tuple[Job, Item]:
    """A dead job, and the item that it was for.

    Raises:
        UnknownJob: there is none of this id, or it is not dead.
    """
    row = connection.execute(
        select(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.DEAD)
    ).one_or_none()
    if row is None:
        raise _refused(f"no dead job {job_id[:80]!r}")
    job = rows.job(row)
    return job, find_item(connection, job.item_id)


def retry(connection: Connection, job_id: str, *, actor: str, now: datetime) -> Job:
    """Put a dead job back, as if it had never been begun, and note who did.

    What comes of it is kept beside the item, for the person who reviews it. The item keeps its
    route: it has one already.

    Raises:
        UnknownJob: no such dead job, nothing left to work on, or the same work is under way.
    """
    job, item = find_dead(connection, job_id)
    if item.state is ItemState.ERASED:
        raise _refused(f"the job {job_id}, whose media are erased")
    again = jobs.alias()
    is_open = exists().where(
        again.c.item_id == job.item_id, again.c.kind == job.kind, again.c.state.in_(_OPEN)
    )
    changed = connection.execute(
        update(jobs)
        .where(jobs.c.id == job.id, jobs.c.state == JobState.DEAD, ~is_open)
        .values(
            state=JobState.WAITING,
            deliveries=0,
            not_before=now,
            error=None,
            closed_at=None,
            worker=None,
        )
        .returning(jobs)
    ).one_or_none()
    if changed is None:
        raise _refused(f"the job {job_id}, whose work is under way again already")
    # A failure is kept for copies, and would be the answer again.
    connection.execute(
        delete(results).where(
            results.c.sha256 == item.sha256,
            results.c.mode == job.mode,
            results.c.is_scored.is_(False),
        )
    )
    append(connection, [job_retried(job, actor, now)])
    return rows.job(changed)


_OPEN = (JobState.WAITING, JobState.LEASED)


def _refused(found: str) -> UnknownJob:
    return UnknownJob(
        found,
        expected="a dead job with something left to do",
        remedy="Take its id from `moderation deadletter list`.",
    )
