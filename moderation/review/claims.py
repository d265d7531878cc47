"""Who gets which task next."""

from datetime import datetime

from sqlalchemy import Row, Select, and_, exists, func, insert, select, update

from moderation.review import rows
from moderation.review.errors import NotAllowed, RestDue, ReviewError
from moderation.review.golden import golden_in_place_of
from moderation.review.leases import expire, pass_over
from moderation.review.reviewers import at_work, require_access, start_work
from moderation.review.tables import (
    IS_LIVE,
    IS_SAMPLED,
    IS_WAITING,
    STANDS,
    decisions,
    leases,
    passes,
    tasks,
)
from moderation.review.transaction import Transaction
from moderation.review.types import Claim, Desk, Reviewer, TaskState
from moderation.review.wellness import DAY, Work, break_ends_at, cap_ends_at, go_on


def claim(tx: Transaction, reviewer_id: str, desk: Desk = Desk.GENERAL) -> Claim | None:
    """The next task at `desk` for this reviewer, leased to them; None when there is none.

    Next is by lane, then by stored priority, then by age. Nobody gets a task of a case that they
    have decided or hold, nor for a while one that they skipped. Now and then a golden item takes
    the place of the next task.

    Raises:
        NotFound: no such reviewer.
        NotAllowed: not at this desk, or with too many tasks in hand.
        RestDue: a break is due, or enough harmful media was seen; says until when.
    """
    reviewer, work = at_work(tx, reviewer_id)
    require_access(reviewer, desk)
    expire(tx)
    _require_room_and_rest(tx, reviewer, work)
    start_work(tx, reviewer.id, go_on(reviewer.wellness, work, tx.now))
    head = tx.connection.execute(
        waiting_for(tx, reviewer_id, desk)
        .limit(1)
        .with_for_update(of=tasks, skip_locked=True, key_share=True)
    ).one_or_none()
    if head is None:
        return None
    head = _sampled_in_place_of(tx, head, reviewer_id) or head
    golden = golden_in_place_of(tx, head, reviewer_id)
    if golden is not None:
        pass_over(tx, head.id, reviewer_id)
        return grant(tx, golden, reviewer_id)
    return grant(tx, head, reviewer_id)


def waiting_for(tx: Transaction, reviewer_id: str, desk: Desk) -> "Select[tuple[object, ...]]":
    """The tasks at `desk` that this reviewer may have, in their order."""
    is_passed = exists().where(
        passes.c.task_id == tasks.c.id,
        passes.c.reviewer_id == reviewer_id,
        passes.c.until > tx.now,
        # One beyond that is from a clock that was set back since.
        passes.c.until <= tx.now + tx.rules.pass_over,
    )
    has_decided = exists().where(
        decisions.c.case_id == tasks.c.case_id, decisions.c.reviewer_id == reviewer_id, STANDS
    )
    holds = exists().where(
        leases.c.case_id == tasks.c.case_id, leases.c.reviewer_id == reviewer_id, IS_LIVE
    )
    return (
        select(tasks)
        .where(IS_WAITING, tasks.c.desk == desk, ~is_passed, ~has_decided, ~holds)
        .order_by(tasks.c.lane, tasks.c.priority.desc(), tasks.c.created_at, tasks.c.id)
    )


def _sampled_in_place_of(
    tx: Transaction, head: "Row[tuple[object, ...]]", reviewer_id: str
) -> "Row[tuple[object, ...]] | None":
    """The oldest sampled task, where this is a reserved turn and there is one."""
    if head.desk != Desk.GENERAL or head.lane < tx.rules.ordinary_from_lane:
        return None
    # Drawn anew for every claim: a turn that hung on the head would pass it over for ever.
    if tx.rules.draw("reserved", tx.new_token()) >= tx.rules.reserved_share:
        return None
    return tx.connection.execute(
        waiting_for(tx, reviewer_id, Desk.GENERAL)
        .where(IS_SAMPLED, tasks.c.lane >= tx.rules.ordinary_from_lane)
        .order_by(None)
        .order_by(tasks.c.created_at, tasks.c.id)
        .limit(1)
        .with_for_update(of=tasks, skip_locked=True, key_share=True)
    ).one_or_none()


def grant(tx: Transaction, task: "Row[tuple[object, ...]]", reviewer_id: str) -> Claim:
    """Lease `task`, a row that this transaction has locked, to a reviewer."""
    lease = tx.connection.execute(
        insert(leases)
        .values(
            token=tx.new_token(),
            task_id=task.id,
            case_id=task.case_id,
            golden_id=task.golden_id,
            reviewer_id=reviewer_id,
            is_harmful=task.is_harmful,
            granted_at=tx.now,
            expires_at=tx.now + tx.rules.lease,
        )
        .returning(leases)
    ).one()
    tx.connection.execute(
        update(tasks).where(tasks.c.id == task.id).values(state=TaskState.LEASED, closed_at=None)
    )
    return Claim(rows.review_task(task), rows.lease(lease))


def why_no_claim(tx: Transaction, reviewer_id: str) -> ReviewError | None:
    """What a claim of this reviewer would be refused with at this moment; nothing is changed.

    Raises:
        NotFound: no such reviewer.
    """
    reviewer, work = at_work(tx, reviewer_id, lock=False)
    try:
        _require_room_and_rest(tx, reviewer, work)
    except ReviewError as refusal:
        return refusal
    return None


def _require_room_and_rest(tx: Transaction, reviewer: Reviewer, work: Work | None) -> None:
    in_hand = tx.connection.scalar(
        select(func.count()).where(leases.c.reviewer_id == reviewer.id, IS_LIVE)
    )
    if in_hand is not None and in_hand >= tx.rules.leases_max:
        raise NotAllowed(
            f"{reviewer.id!r} has {in_hand} tasks in hand",
            expected=f"at most {tx.rules.leases_max}",
            remedy="Decide one of them, or give it back.",
        )
    wellness = reviewer.wellness
    if work is not None and in_hand:
        work = Work(work.began_at, tx.now)
    resumes_at = None if work is None else break_ends_at(wellness, work, tx.now)
    if resumes_at is not None:
        raise RestDue(
            f"{wellness.work_minutes:g} minutes of work without a break", resumes_at=resumes_at
        )
    resumes_at = cap_ends_at(wellness, _cap_reached_at(tx, reviewer), tx.now)
    if resumes_at is not None:
        raise RestDue(
            f"{wellness.harmful_daily_max} harmful items within 24 hours", resumes_at=resumes_at
        )


def _cap_reached_at(tx: Transaction, reviewer: Reviewer) -> datetime | None:
    if reviewer.wellness.harmful_daily_max == 0:
        return None
    return tx.connection.scalar(
        select(leases.c.granted_at)
        .where(
            and_(
                leases.c.reviewer_id == reviewer.id,
                leases.c.granted_at > tx.now - DAY,
                leases.c.is_harmful,
            )
        )
        .order_by(leases.c.granted_at.desc())
        .offset(reviewer.wellness.harmful_daily_max - 1)
        .limit(1)
    )
