"""Work to be done, in the database: handed out with a lease, and never lost.

The token of a lease is what counts, not the clock: whoever has the current one may end the job,
even late, as long as nobody has taken it over. A broker, where there is one, only says "look".
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, update

from moderation.intake import rows
from moderation.intake.tables import IS_LEASED, IS_OPEN, IS_WAITING, items, jobs
from moderation.intake.types import Job, JobKind, JobState
from moderation.telemetry.tracing import current_traceparent
from moderation.types import ItemError, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRules:
    """lease: how long a job is held without a sign of life. deliveries_max: how often it is begun.

    backoff, backoff_max: the first pause after a failure that may pass, doubled each time.
    """

    lease: timedelta = timedelta(minutes=2)
    deliveries_max: int = 5
    backoff: timedelta = timedelta(seconds=5)
    backoff_max: timedelta = timedelta(minutes=10)

    def __post_init__(self) -> None:
        if self.deliveries_max < 1 or not timedelta(0) < self.backoff <= self.backoff_max:
            raise ValueError(f"{self} has a bound below its least value")
        if self.lease <= timedelta(0):
            raise ValueError(f"a lease of {self.lease}")

    def pause(self, deliveries: int, draw: float) -> timedelta:
        """Before the next try. draw: uniform in [0, 1), so that failures do not come back at once.

        Exponential backoff with equal jitter: half of the pause is sure, half is drawn.
        """
        most = min(self.backoff * 2.0 ** min(deliveries - 1, 32), self.backoff_max)
        return most * (0.5 + 0.5 * draw)


def add_job(
    connection: Connection, kind: JobKind, item_id: str, mode: Mode, *, now: datetime
) -> str:
    """Leave word that something is to be done; the job's id."""
    job_id = secrets.token_hex(16)
    connection.execute(
        insert(jobs).values(
            id=job_id,
            kind=kind,
            item_id=item_id,
            mode=mode,
            state=JobState.WAITING,
            deliveries=0,
            not_before=now,
            created_at=now,
            traceparent=current_traceparent(),
        )
    )
    return job_id


def add_job_once(
    connection: Connection, kind: JobKind, item_id: str, mode: Mode, *, now: datetime
) -> None:
    """`add_job`, unless the same is waiting or under way. Hold a lock that orders the callers."""
    is_there = select(jobs.c.id).where(jobs.c.item_id == item_id, jobs.c.kind == kind, IS_OPEN)
    if connection.scalar(is_there) is None:
        add_job(connection, kind, item_id, mode, now=now)


def claim_jobs(
    connection: Connection,
    kind: JobKind,
    *,
    worker: str,
    limit: int,
    now: datetime,
    rules: JobRules,
) -> list[Job]:
    """Up to `limit` jobs, oldest first, each leased to `worker` with a token of its own.

    Jobs of leases that ran out are among them. A job that was begun before comes alone: if it is
    what stops its workers, no other job is counted down with it.
    """
    found = connection.execute(
        select(jobs)
        .where(jobs.c.kind == kind, _is_due(now))
        .order_by(jobs.c.not_before, jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not found:
        return []
    fresh = [row for row in found if row.deliveries == 0]
    chosen = found[:1] if found[0].deliveries else fresh
    changes = [{"job": row.id, "token": secrets.token_urlsafe(24)} for row in chosen]
    connection.execute(
        update(jobs)
        .where(jobs.c.id == bindparam("job"))
        .values(
            state=JobState.LEASED,
            deliveries=jobs.c.deliveries + 1,
            lease_until=now + rules.lease,
            token=bindparam("token"),
            worker=worker,
        ),
        changes,
    )
    again = select(jobs).where(jobs.c.id.in_([row.id for row in chosen]))
    return [
        rows.job(row) for row in connection.execute(again.order_by(jobs.c.not_before, jobs.c.id))
    ]


def due_contents(connection: Connection, kind: JobKind, *, now: datetime, limit: int) -> list[str]:
    """SHA-256 of the content of up to `limit` jobs that `claim_jobs` could hand out, by age."""
    due = (
        select(jobs.c.id, jobs.c.item_id, jobs.c.not_before)
        .where(jobs.c.kind == kind, _is_due(now))
        .order_by(jobs.c.not_before, jobs.c.id)
        .limit(limit)
        .subquery()
    )
    of_items = select(items.c.sha256).join(due, due.c.item_id == items.c.id)
    return list(connection.scalars(of_items.order_by(due.c.not_before, due.c.id)))


def renew_jobs(
    connection: Connection, held: Sequence[Job], *, now: datetime, rules: JobRules
) -> int:
    """Hold the leases for their full length again, from now on; how many still were ours."""
    return connection.execute(
        update(jobs).where(_are_ours(held)).values(lease_until=now + rules.lease)
    ).rowcount


def release_jobs(connection: Connection, held: Sequence[Job]) -> int:
    """Put jobs back that were not begun, as if they had not been handed out; how many."""
    return connection.execute(
        update(jobs)
        .where(_are_ours(held))
        .values(
            state=JobState.WAITING,
            deliveries=jobs.c.deliveries - 1,
            token=None,
            lease_until=None,
        )
    ).rowcount


def put_off(connection: Connection, job: Job, error: ItemError, *, until: datetime) -> bool:
    """Try the job again later; False where the lease was lost."""
    return _close(
        connection,
        job,
        state=JobState.WAITING,
        not_before=until,
        error=rows.error_json(error),
        closed_at=None,
    )


def finish(
    connection: Connection, job: Job, *, now: datetime, error: ItemError | None = None
) -> bool:
    """End the job, dead where there is an error; False where the lease was lost."""
    return _close(
        connection,
        job,
        state=JobState.DONE if error is None else JobState.DEAD,
        error=None if error is None else rows.error_json(error),
        closed_at=now,
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(IS_WAITING, jobs.c.not_before <= now), and_(IS_LEASED, jobs.c.lease_until <= now)
    )


def _close(connection: Connection, job: Job, **values: object) -> bool:
    changed = connection.execute(
        update(jobs).where(_are_ours([job])).values(token=None, lease_until=None, **values)
    ).rowcount
    return changed == 1


def _are_ours(held: Sequence[Job]) -> ColumnElement[bool]:
    return and_(jobs.c.token.in_([job.token for job in held]), IS_LEASED)
