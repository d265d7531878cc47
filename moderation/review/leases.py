"""Leases on tasks: renewed, given back, passed on, run out.

A token is what counts, not a clock. Whoever holds the current token of a task can decide it, even
after its time, as long as nobody else has taken the task over; whoever does not, cannot. Clocks
say only when a task goes back to the queue. So a clock that jumps, or differs between machines,
can bring a task back early or late, but never lets two people decide it.
"""

from datetime import timedelta

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from moderation.review import rows
from moderation.review.errors import AlreadyDecided, LeaseExpired, NotFound
from moderation.review.reviewers import note_activity
from moderation.review.tables import IS_LIVE, leases, passes, tasks
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, Lease, LeaseEnd, TaskKind, TaskState

# How far the clocks of two machines may differ without a lease ending early.
SKEW = timedelta(minutes=1)


def held(tx: Transaction, token: str) -> tuple[Lease, "Row[tuple[object, ...]]"]:
    """The live lease of a token and the row of its task, both locked, and the task's case too.

    Raises:
        NotFound: no such token.
        AlreadyDecided: it was used for a decision.
        LeaseExpired: it has ended in another way.
    """
    # The case first, as everybody does, so that nobody waits in a circle.
    case_id = tx.connection.scalar(select(leases.c.case_id).where(leases.c.token == token))
    if case_id is None:
        raise _unknown_token()
    lock_case(tx, case_id)
    lease = tx.connection.execute(
        select(leases).where(leases.c.token == token).with_for_update()
    ).one()
    if lease.ended_by == LeaseEnd.DECIDED:
        raise AlreadyDecided(
            f"task {lease.task_id} was decided with this lease",
            expected="one decision a lease",
            remedy="Claim the next task; a recent decision can be undone.",
        )
    if lease.ended_at is not None:
        raise LeaseExpired(
            f"the lease on task {lease.task_id} has ended ({lease.ended_by})",
            expected="a lease that is renewed in time",
            remedy="Claim again; the task may be with somebody else now.",
        )
    task = tx.connection.execute(
        select(tasks).where(tasks.c.id == lease.task_id).with_for_update(key_share=True)
    ).one()
    return rows.lease(lease), task


def require_own(tx: Transaction, token: str, reviewer_id: str) -> None:
    """Raises:
    NotFound: no such token, or somebody else's. The two look alike.
    AlreadyDecided, LeaseExpired: it has ended.
    """
    lease, _ = held(tx, token)
    if lease.reviewer_id != reviewer_id:
        raise _unknown_token()


def lock_case(tx: Transaction, case_id: str) -> None:
    """Make whoever works on the same case wait until this transaction ends."""
    tx.connection.execute(
        select(tasks.c.id).where(tasks.c.id == case_id).with_for_update(key_share=True)
    )


def renew(tx: Transaction, token: str) -> Lease:
    """The lease, from now on for its full length again, but never beyond `hold_max` in all.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `held`.
    """
    lease, _ = held(tx, token)
    note_activity(tx, lease.reviewer_id)
    until = min(tx.now + tx.rules.lease, lease.granted_at + tx.rules.hold_max)
    row = tx.connection.execute(
        update(leases).where(leases.c.token == token).values(expires_at=until).returning(leases)
    ).one()
    return rows.lease(row)


def let_lapse(tx: Transaction, token: str, grace: timedelta) -> None:
    """The reviewer has gone: the lease ends after `grace`, unless it is renewed before.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `held`.
    """
    lease, _ = held(tx, token)
    until = min(lease.expires_at, tx.now + grace)
    tx.connection.execute(update(leases).where(leases.c.token == token).values(expires_at=until))


def release(tx: Transaction, token: str) -> None:
    """Put the task back in its place in the queue.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `held`.
    """
    lease, task = held(tx, token)
    end(tx, lease, LeaseEnd.RELEASED)
    put_back(tx, task)


def skip(tx: Transaction, token: str) -> None:
    """Put the task back for others; this reviewer is not given it for a while.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `held`.
    """
    lease, task = held(tx, token)
    end(tx, lease, LeaseEnd.SKIPPED)
    put_back(tx, task)
    pass_over(tx, task.id, lease.reviewer_id)


def escalate(tx: Transaction, token: str, note: str) -> None:
    """Hand the task to the lead's desk, with a note.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `held`.
    """
    lease, task = held(tx, token)
    end(tx, lease, LeaseEnd.ESCALATED)
    put_back(tx, task)
    # An appeal stays one: the desk says only who may take it.
    tx.connection.execute(
        update(tasks).where(tasks.c.id == task.id).values(desk=Desk.LEAD, handover_note=note)
    )


def expire(tx: Transaction, *, limit: int = 100) -> int:
    """Put back the tasks of leases that have run out; how many. Every claim does so first.

    A lease that ends later than any granted now could was granted by a clock that has since
    been set back, or is wrong: it has run out too, or it would hold its task for as long as the
    clock was off.
    """
    latest = tx.now + tx.rules.lease + SKEW
    found = tx.connection.execute(
        select(leases, tasks.c.kind)
        .join(tasks, tasks.c.id == leases.c.task_id)
        .where(IS_LIVE, or_(leases.c.expires_at <= tx.now, leases.c.expires_at > latest))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for row in found:
        end(tx, rows.lease(row), LeaseEnd.EXPIRED)
        put_back(tx, row)
    return len(found)


def end(tx: Transaction, lease: Lease, how: LeaseEnd) -> None:
    """Mark the lease as ended; it stays as a record of who saw what."""
    if how is not LeaseEnd.EXPIRED:
        note_activity(tx, lease.reviewer_id)
    ended_at = max(min(tx.now, lease.expires_at), lease.granted_at)
    tx.connection.execute(
        update(leases).where(leases.c.token == lease.token).values(ended_at=ended_at, ended_by=how)
    )


def put_back(tx: Transaction, row: "Row[tuple[object, ...]]") -> None:
    """Let the task of a lease wait again; a golden item was for one person, and goes.

    row: has the task's `kind`, and its id as `task_id`, or as `id` without that.
    """
    task_id = getattr(row, "task_id", None) or row.id
    state = TaskState.WITHDRAWN if row.kind == TaskKind.GOLDEN else TaskState.WAITING
    closed_at = tx.now if state is TaskState.WITHDRAWN else None
    tx.connection.execute(
        update(tasks)
        .where(and_(tasks.c.id == task_id, tasks.c.state == TaskState.LEASED))
        .values(state=state, closed_at=closed_at)
    )


def pass_over(tx: Transaction, task_id: str, reviewer_id: str) -> None:
    """Do not give this task to this reviewer for a while."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    until = tx.now + tx.rules.pass_over
    statement = dialect.insert(passes).values(task_id=task_id, reviewer_id=reviewer_id, until=until)
    tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=[passes.c.task_id, passes.c.reviewer_id], set_={"until": until}
        )
    )


def _unknown_token() -> NotFound:
    return NotFound(
        "no lease with this token",
        expected="the token of a claim",
        remedy="Claim a task.",
    )
