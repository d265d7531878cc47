"""Review with everything that follows: records, routes of the copies, statements of reasons.

Use `CaseReview.at` wherever `moderation.review` has `Review.at`: what happens in the transaction
is followed up at its end, on the same connection, so that all of it is committed or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from moderation.casework.following import follow
from moderation.database import writing
from moderation.review.rules import ReviewRules
from moderation.review.transaction import ReviewEvent, Transaction


@dataclass(frozen=True, slots=True)
class CaseReview:
    """The review of a deployment. namespace: `Deployment.namespace`."""

    engine: Engine
    rules: ReviewRules
    namespace: str = field(repr=False)

    @contextmanager
    def at(self, now: datetime, *, actor: str | None = None) -> Iterator[Transaction]:
        """A transaction at `now`. actor: `ROLE:PSEUDONYM` of whoever is not the reviewer.

        Raises:
            DatabaseBusy: nothing was done; try again.
            StatementError: an action without a reason that the policy has; nothing was done.
        """
        events: list[ReviewEvent] = []
        with writing(self.engine) as connection:
            # Followed up at the end: the audit trail's head is locked last, and shortly.
            tx = Transaction(connection, now, self.rules, lambda _, event: events.append(event))
            yield tx
            follow(tx, events, namespace=self.namespace, actor=actor)
