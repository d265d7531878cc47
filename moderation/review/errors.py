"""What review refuses, and why."""

from datetime import datetime

from moderation.errors import PermanentError


class ReviewError(PermanentError):
    """Something that a reviewer, lead or complainant may not or can no longer do."""

    code = "review"


class NotFound(ReviewError):
    """No such task, case, lease, decision, appeal or reviewer."""

    code = "review_not_found"


class LeaseExpired(ReviewError):
    """The lease has ended, and the task is back in the queue or with somebody else."""

    code = "lease_expired"


class AlreadyDecided(ReviewError):
    """This lease was used for a decision already."""

    code = "already_decided"


class NotAllowed(ReviewError):
    """Not with this role, not by this person, or not any more."""

    code = "not_allowed"


class RestDue(ReviewError):
    """A break is due, or the day's share of harmful media is reached.

    resumes_at: when this reviewer may claim again.
    """

    code = "rest_due"

    def __init__(self, found: str, *, resumes_at: datetime) -> None:
        super().__init__(
            found,
            expected="rest",
            remedy=f"Go on at {resumes_at.isoformat(timespec='seconds')}.",
        )
        self.resumes_at = resumes_at
