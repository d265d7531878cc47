"""Who reviews."""

from dataclasses import asdict

from sqlalchemy import Connection, insert, select, update

from moderation.review import rows
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.tables import reviewers
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, Reviewer, Role
from moderation.review.wellness import Work


def enrol(tx: Transaction, reviewer: Reviewer) -> None:
    """Add a reviewer, or give one that is there these settings."""
    values = asdict(reviewer) | asdict(reviewer.wellness)
    del values["wellness"]
    known = update(reviewers).where(reviewers.c.id == reviewer.id).values(values)
    if not tx.connection.execute(known).rowcount:
        tx.connection.execute(insert(reviewers).values(values))


def find_reviewer(connection: Connection, reviewer_id: str) -> Reviewer:
    """Raises:
    NotFound: nobody of that id.
    """
    row = connection.execute(select(reviewers).where(reviewers.c.id == reviewer_id)).one_or_none()
    if row is None:
        raise _unknown(reviewer_id)
    return rows.reviewer(row)


def _unknown(reviewer_id: str) -> NotFound:
    return NotFound(
        f"no reviewer {reviewer_id!r}",
        expected="the id of an enrolled reviewer",
        remedy="Enrol this person first.",
    )


def at_work(
    tx: Transaction, reviewer_id: str, *, lock: bool = True
) -> tuple[Reviewer, Work | None]:
    """A reviewer and the stretch of work they are in; locked, so that their claims take turns.

    Raises:
        NotFound: nobody of that id.
    """
    query = select(reviewers).where(reviewers.c.id == reviewer_id)
    query = query.with_for_update(key_share=True) if lock else query
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise _unknown(reviewer_id)
    if row.work_began_at is None or row.last_active_at is None:
        return rows.reviewer(row), None
    return rows.reviewer(row), Work(row.work_began_at, row.last_active_at).seen_at(tx.now)


def start_work(tx: Transaction, reviewer_id: str, work: Work) -> None:
    """Keep the stretch of work that a reviewer is in."""
    tx.connection.execute(
        update(reviewers)
        .where(reviewers.c.id == reviewer_id)
        .values(work_began_at=work.began_at, last_active_at=work.last_at)
    )


def note_activity(tx: Transaction, reviewer_id: str) -> None:
    """This reviewer has just done something."""
    tx.connection.execute(
        update(reviewers).where(reviewers.c.id == reviewer_id).values(last_active_at=tx.now)
    )


def require_access(reviewer: Reviewer, desk: Desk) -> None:
    """Raises:
    NotAllowed: this reviewer does not work at this desk.
    """
    if not reviewer.is_active:
        raise NotAllowed(
            f"reviewer {reviewer.id!r} is not active",
            expected="an active reviewer",
            remedy="Ask a lead to enrol you again.",
        )
    if desk is Desk.LEAD and reviewer.role is Role.REVIEWER:
        raise NotAllowed(
            f"{reviewer.id!r} is a reviewer",
            expected="a lead, at the lead's desk",
            remedy="Claim from another desk.",
        )
    if desk is not Desk.GENERAL and reviewer.is_automated:
        raise NotAllowed(
            f"{reviewer.id!r} is a program",
            expected="a person, for what a person has to judge",
            remedy="Leave this task to a person.",
        )
