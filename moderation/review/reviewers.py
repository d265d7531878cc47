"""Who reviews."""

from dataclasses import asdict

from sqlalchemy import Connection, insert, select, update

from moderation.review import rows
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.tables import reviewers
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, Reviewer, Role


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
        raise NotFound(
            f"no reviewer {reviewer_id!r}",
            expected="the id of an enrolled reviewer",
            remedy="Enrol this person first.",
        )
    return rows.reviewer(row)


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
