"""Decisions: taken with a lease, in groups, and taken back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from moderation.review import rows
from moderation.review.appeals import close_appeal, has_appeal
from moderation.review.cases import settle, unsettle
from moderation.review.claims import grant, waiting_for
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.holding import find_task
from moderation.review.leases import end, held, lock_case
from moderation.review.reviewers import find_reviewer, require_access
from moderation.review.tables import STANDS, decisions, tasks
from moderation.review.transaction import ReviewEvent, Transaction
from moderation.review.types import (
    Claim,
    Decision,
    Desk,
    Finding,
    LeaseEnd,
    Role,
    TaskKind,
    TaskState,
)

GROUP_MAX = 1000
_STATE_NOW = {
    TaskState.LEASED: "in somebody's hands",
    TaskState.DECIDED: "decided already",
    TaskState.WITHDRAWN: "withdrawn",
}


def decide(
    tx: Transaction, token: str, finding: Finding, *, wants_second: bool = False
) -> Decision:
    """Close the task of a lease with a finding, and its case if no other opinion is needed.

    wants_second: the reviewer would like somebody else to look too, who does not learn of it.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `leases.held`.
    """
    lease, task = held(tx, token)
    end(tx, lease, LeaseEnd.DECIDED)
    return _close(tx, task, lease.reviewer_id, finding, lease.granted_at, wants_second=wants_second)


def decide_group(tx: Transaction, token: str, finding: Finding) -> list[Decision]:
    """Decide the leased task and every waiting one of its group alike, each recorded by itself.

    Tasks that others hold, second reviews and appeals are left to their reviewers. At most
    `GROUP_MAX` at a time: the next claim brings one of the rest.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `leases.held`.
        NotAllowed: the task belongs to no group.
    """
    lease, task = held(tx, token)
    if task.group_id is None:
        raise NotAllowed(
            f"task {task.id} belongs to no group",
            expected="a task with copies",
            remedy="Decide it alone.",
        )
    others = tx.connection.execute(
        waiting_for(tx, lease.reviewer_id, Desk(task.desk))
        .where(tasks.c.group_id == task.group_id, tasks.c.kind == TaskKind.FIRST)
        .limit(GROUP_MAX - 1)
        .with_for_update(of=tasks, skip_locked=True, key_share=True)
    ).all()
    end(tx, lease, LeaseEnd.DECIDED)
    bulk_id = tx.new_id()
    taken = [_close(tx, task, lease.reviewer_id, finding, lease.granted_at, bulk_id=bulk_id)]
    for other in others:
        taken.append(_close(tx, other, lease.reviewer_id, finding, tx.now, bulk_id=bulk_id))
    return taken


def decide_waiting(
    tx: Transaction, task_id: str, reviewer_id: str, finding: Finding, *, bulk_id: str
) -> Decision:
    """Decide a task that nobody holds, as one of those that a lead has selected.

    bulk_id: shared by all of them; each takes a transaction of its own. Second opinions and
    appeals are left to whoever claims them: they are worth something only with a look.

    Raises:
        NotFound: no such task, or no such reviewer.
        NotAllowed: not a lead, not a first review, decided or in hand by now, or one that this
            lead has decided or skipped.
    """
    reviewer, record = find_reviewer(tx.connection, reviewer_id), find_task(tx.connection, task_id)
    require_access(reviewer, record.task.desk)
    if reviewer.role is Role.REVIEWER:
        raise NotAllowed(
            f"{reviewer.id!r} is a reviewer",
            expected="a lead, to decide several tasks at once",
            remedy="Claim them one by one.",
        )
    if record.kind is not TaskKind.FIRST:
        raise NotAllowed(
            f"task {task_id} asks for another opinion",
            expected="a first review",
            remedy="Claim it, and look at it by itself.",
        )
    row = tx.connection.execute(
        waiting_for(tx, reviewer_id, record.task.desk)
        .where(tasks.c.id == task_id)
        .with_for_update(of=tasks, skip_locked=True, key_share=True)
    ).one_or_none()
    if row is None:
        is_there = record.state is TaskState.WAITING
        raise NotAllowed(
            f"task {task_id} "
            + ("is not for you now" if is_there else f"is {_STATE_NOW[record.state]}"),
            expected="a task that waits, and that you have neither decided nor skipped",
            remedy="Leave it to others.",
        )
    return _close(tx, row, reviewer_id, finding, tx.now, bulk_id=bulk_id)


def undo(tx: Transaction, decision_id: str, reviewer_id: str) -> Claim:
    """Take a decision back, and the task into the same reviewer's hands again.

    Raises:
        NotFound: no such decision.
        NotAllowed: of somebody else, taken back already, too late, an appeal's, or one that
            others have built on.
    """
    row = tx.connection.execute(
        select(decisions).where(decisions.c.id == decision_id)
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"no decision {decision_id!r}",
            expected="the id of a decision",
            remedy="List your recent decisions.",
        )
    lock_case(tx, row.case_id)
    taken = rows.decision(
        tx.connection.execute(select(decisions).where(decisions.c.id == decision_id)).one()
    )
    task = tx.connection.execute(
        select(tasks).where(tasks.c.id == taken.task_id).with_for_update(key_share=True)
    ).one()
    why_not = _why_it_stands(tx, taken, task, reviewer_id)
    if why_not is not None:
        raise NotAllowed(
            f"decision {decision_id} {why_not}",
            expected=f"your own decision of the last {tx.rules.undo}",
            remedy="Ask a lead, or wait for an appeal.",
        )
    tx.connection.execute(
        update(decisions).where(decisions.c.id == decision_id).values(undone_at=tx.now)
    )
    if task.kind != TaskKind.GOLDEN:
        unsettle(tx, taken)
    _tell(tx, "undone", taken)
    return grant(tx, task, reviewer_id)


def _why_it_stands(
    tx: Transaction, taken: Decision, task: "Row[tuple[object, ...]]", reviewer_id: str
) -> str | None:
    if taken.reviewer_id != reviewer_id:
        return "is somebody else's"
    if taken.undone_at is not None:
        return "was taken back already"
    if tx.now - taken.decided_at > tx.rules.undo:
        return f"is {tx.now - taken.decided_at} old"
    if task.kind == TaskKind.APPEAL:
        return "is on an appeal"
    if has_appeal(tx.connection, taken.case_id):
        return "is under appeal"
    return None


def _close(
    tx: Transaction,
    task: "Row[tuple[object, ...]]",
    reviewer_id: str,
    finding: Finding,
    claimed_at: datetime,
    *,
    wants_second: bool = False,
    bulk_id: str | None = None,
) -> Decision:
    """Record a decision on `task`, a row that this transaction has locked, and what follows."""
    taken = rows.decision(
        tx.connection.execute(
            insert(decisions)
            .values(
                id=tx.new_id(),
                task_id=task.id,
                case_id=task.case_id,
                reviewer_id=reviewer_id,
                **asdict(finding),
                claimed_at=claimed_at,
                decided_at=tx.now,
                wants_second=wants_second,
                bulk_id=bulk_id,
            )
            .returning(decisions)
        ).one()
    )
    tx.connection.execute(
        update(tasks).where(tasks.c.id == task.id).values(state=TaskState.DECIDED, closed_at=tx.now)
    )
    _tell(tx, "decided", taken)
    if task.kind == TaskKind.APPEAL:
        close_appeal(tx, taken)
    elif task.kind != TaskKind.GOLDEN:
        settle(tx, taken.case_id)
    return taken


def _tell(tx: Transaction, name: str, taken: Decision) -> None:
    facts: Mapping[str, Any] = {
        "decision_id": taken.id,
        **asdict(taken.finding),
        "bulk_id": taken.bulk_id,
    }
    tx.record(
        tx.connection,
        ReviewEvent(name, tx.now, taken.case_id, taken.task_id, taken.reviewer_id, facts),
    )


def standing_decisions(tx: Transaction, case_id: str) -> list[Decision]:
    """The decisions on a case that have not been taken back, oldest first."""
    found = tx.connection.execute(
        select(decisions)
        .where(decisions.c.case_id == case_id, STANDS)
        .order_by(decisions.c.decided_at, decisions.c.id)
    )
    return [rows.decision(row) for row in found]
