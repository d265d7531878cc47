"""Appeals: decided by another person than those who decided before, and never by a program."""

import calendar
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from moderation.database import DatabaseBusy
from moderation.review import rows
from moderation.review.arrivals import task_row
from moderation.review.cases import ask, rule, ruling_in_force
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.leases import lock_case
from moderation.review.tables import IS_CASE, appeals, decisions, rulings, tasks
from moderation.review.transaction import ReviewEvent, Transaction
from moderation.review.types import Action, Appeal, AppealState, Decision, Desk, NewTask, TaskKind


def months_later(time: datetime, months: int) -> datetime:
    """The same day and hour `months` on, or that month's last day where it has no such day."""
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)


def file_appeal(tx: Transaction, case_id: str, grounds: str) -> Appeal:
    """Complain against the ruling in force on a case.

    Whoever has decided a task of the case is never given the appeal.

    Raises:
        NotFound: no such case.
        NotAllowed: not ruled, under appeal already, or ruled too long ago.
    """
    lock_case(tx, case_id)
    if tx.connection.scalar(select(tasks.c.id).where(tasks.c.id == case_id)) is None:
        raise NotFound(
            f"no case {case_id!r}", expected="the id of a case", remedy="Look up the item."
        )
    current = ruling_in_force(tx, case_id)
    if current is None:
        raise NotAllowed(
            f"case {case_id} is not ruled",
            expected="a ruling to appeal against",
            remedy="Wait for the ruling.",
        )
    _require_open(tx, case_id, current.id, current.ruled_at)
    task_id = ask(tx, case_id, TaskKind.APPEAL, Desk.APPEALS)
    return _file(tx, case_id, task_id, current.id, grounds)


def file_appeal_against_machine(
    tx: Transaction, item: NewTask, grounds: str, *, acted_at: datetime
) -> Appeal:
    """Complain against what the machine did to an item that no person has seen.

    item: as it would be enqueued; if it has a case with a ruling by now, that is appealed.

    Raises:
        NotAllowed: a review or an appeal is under way, or the machine acted too long ago.
        DatabaseBusy: the item was handed in at the same moment.
    """
    case_id = tx.connection.scalar(
        select(tasks.c.id).where(
            tasks.c.item_id == item.item_id,
            tasks.c.policy_version == item.policy_version,
            IS_CASE,
        )
    )
    if case_id is not None:
        return file_appeal(tx, case_id, grounds)
    task_id = tx.new_id()
    _require_open(tx, task_id, None, acted_at)
    try:
        tx.connection.execute(
            insert(tasks).values(
                task_row(item, task_id) | {"kind": TaskKind.APPEAL, "desk": Desk.APPEALS}
            )
        )
    except IntegrityError as error:
        raise DatabaseBusy(
            f"somebody opened a case of item {item.item_id!r} at this moment",
            expected="one case an item",
            remedy="Try again.",
        ) from error
    return _file(tx, task_id, task_id, None, grounds)


def _require_open(tx: Transaction, case_id: str, ruling_id: str | None, since: datetime) -> None:
    closes_at = months_later(since, tx.rules.appeal_months)
    if tx.now > closes_at:
        raise NotAllowed(
            f"appeals against case {case_id} closed at {closes_at.isoformat()}",
            expected=f"an appeal within {tx.rules.appeal_months} months",
            remedy="Go to an out-of-court dispute settlement body.",
        )
    earlier = tx.connection.scalar(
        select(appeals.c.state).where(
            appeals.c.case_id == case_id,
            or_(appeals.c.state == AppealState.OPEN, appeals.c.ruling_id == ruling_id),
        )
    )
    if earlier is not None:
        raise NotAllowed(
            f"there is an appeal in case {case_id}, which is {earlier}",
            expected="one appeal against a ruling",
            remedy="Wait for its outcome; against that there are out-of-court settlement bodies.",
        )


def _file(
    tx: Transaction, case_id: str, task_id: str, ruling_id: str | None, grounds: str
) -> Appeal:
    row = tx.connection.execute(
        insert(appeals)
        .values(
            id=tx.new_id(),
            case_id=case_id,
            task_id=task_id,
            ruling_id=ruling_id,
            grounds=grounds,
            state=AppealState.OPEN,
            filed_at=tx.now,
        )
        .returning(appeals)
    ).one()
    # An appeal's own time: that of the first review may be over.
    tx.connection.execute(
        update(tasks).where(tasks.c.id == task_id).values(due_at=tx.now + tx.rules.appeal_answer)
    )
    filed = rows.appeal(row)
    facts = {"appeal_id": filed.id, "ruling_id": ruling_id}
    tx.record(tx.connection, ReviewEvent("appeal_filed", tx.now, case_id, task_id, None, facts))
    return filed


def close_appeal(tx: Transaction, taken: Decision) -> None:
    """End the appeal whose task was decided: overturned where the finding differs.

    Against the machine alone an appeal is upheld if the item is not left as it was.
    """
    appeal = rows.appeal(
        tx.connection.execute(select(appeals).where(appeals.c.task_id == taken.task_id)).one()
    )
    if appeal.ruling_id is None:
        is_upheld = taken.finding.action is not Action.LEAVE
    else:
        earlier = tx.connection.execute(
            select(decisions)
            .join(rulings, rulings.c.decision_id == decisions.c.id)
            .where(rulings.c.id == appeal.ruling_id)
        ).one()
        is_upheld = rows.decision(earlier).finding.agrees(taken.finding)
    state = AppealState.UPHELD if is_upheld else AppealState.OVERTURNED
    tx.connection.execute(
        update(appeals)
        .where(appeals.c.id == appeal.id)
        .values(state=state, closed_at=tx.now, decision_id=taken.id)
    )
    if not is_upheld or appeal.ruling_id is None:
        rule(tx, taken)
    facts = {"appeal_id": appeal.id, "state": state, "decision_id": taken.id}
    tx.record(
        tx.connection,
        ReviewEvent(
            "appeal_closed", tx.now, taken.case_id, taken.task_id, taken.reviewer_id, facts
        ),
    )


def has_appeal(connection: Connection, case_id: str) -> bool:
    """Whether anybody ever appealed in this case."""
    return bool(connection.scalar(select(exists().where(appeals.c.case_id == case_id))))


def appeals_in(connection: Connection, case_id: str) -> Sequence[Appeal]:
    """The appeals in a case, newest first."""
    query = select(appeals).where(appeals.c.case_id == case_id)
    return [
        rows.appeal(row) for row in connection.execute(query.order_by(appeals.c.filed_at.desc()))
    ]


def appeal_of_task(connection: Connection, task_id: str) -> Appeal | None:
    """The appeal that a task is about, with its grounds; None for any other task."""
    row = connection.execute(select(appeals).where(appeals.c.task_id == task_id)).one_or_none()
    return None if row is None else rows.appeal(row)
