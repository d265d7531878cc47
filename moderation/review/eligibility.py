"""Who may take an appeal: a person who works here, and has not decided the case before."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from moderation.review import rows
from moderation.review.errors import NotFound
from moderation.review.tables import IS_LIVE, STANDS, appeals, decisions, leases, reviewers
from moderation.review.types import Appeal, Decision


@dataclass(frozen=True, slots=True)
class AppealCase:
    """An appeal with what was decided in its case, oldest first, and who may decide now.

    holder: who has it in hand; None: nobody has. may_take: names, of the others too while
    somebody has it, since a lease can run out.
    """

    appeal: Appeal
    decided: Sequence[Decision]
    may_take: Sequence[str]
    holder: str | None


def appeal_case(connection: Connection, appeal_id: str) -> AppealCase:
    """Raises:
    NotFound: there is no such appeal.
    """
    row = connection.execute(select(appeals).where(appeals.c.id == appeal_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"no appeal {appeal_id[:80]!r}",
            expected="the id of an appeal",
            remedy="Take it from the list of appeals.",
        )
    found = rows.appeal(row)
    decided = connection.execute(
        select(decisions)
        .where(decisions.c.case_id == found.case_id, STANDS)
        .order_by(decisions.c.decided_at, decisions.c.id)
    )
    holder = connection.scalar(
        select(leases.c.reviewer_id).where(leases.c.task_id == found.task_id, IS_LIVE)
    )
    return AppealCase(
        appeal=found,
        decided=[rows.decision(one) for one in decided],
        may_take=may_take(connection, found.case_id),
        holder=holder,
    )


def may_take(connection: Connection, case_id: str) -> Sequence[str]:
    """Names of the active people who have decided no task of the case, as `claim` holds it."""
    before = select(decisions.c.reviewer_id).where(decisions.c.case_id == case_id, STANDS)
    found = select(reviewers.c.id).where(
        reviewers.c.is_active, ~reviewers.c.is_automated, reviewers.c.id.not_in(before)
    )
    return list(connection.scalars(found.order_by(reviewers.c.id)))
