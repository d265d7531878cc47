"""A key, and the reviewer whose it is."""

from datetime import datetime

from sqlalchemy import Connection

from moderation.access.keys import AccessRole, NewKey, create_key
from moderation.review.errors import NotFound
from moderation.review.reviewers import enrol, find_reviewer
from moderation.review.rules import ReviewRules
from moderation.review.transaction import Transaction
from moderation.review.types import Reviewer, Role

_REVIEW_ROLES = {
    AccessRole.REVIEWER: Role.REVIEWER,
    AccessRole.LEAD: Role.LEAD,
    AccessRole.ADMIN: Role.ADMIN,
}


def issue_key(
    connection: Connection,
    *,
    name: str,
    role: AccessRole,
    now: datetime,
    expires_at: datetime | None = None,
    is_automated: bool = False,
) -> NewKey:
    """Make a key; whoever may review by it is enrolled, with the settings that they had.

    is_automated: a program holds it, which may not decide what a person has to.

    Raises:
        ConfigurationError: see `create_key`.
    """
    made = create_key(connection, name=name, role=role, now=now, expires_at=expires_at)
    review_role = _REVIEW_ROLES.get(role)
    if review_role is not None:
        try:
            wellness = find_reviewer(connection, name).wellness
            reviewer = Reviewer(name, review_role, is_automated, wellness=wellness)
        except NotFound:
            reviewer = Reviewer(name, review_role, is_automated)
        # Enrolment draws nothing: the salt is not used.
        enrol(Transaction(connection, now, ReviewRules(salt="")), reviewer)
    return made
