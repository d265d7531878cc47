"""How often the team errs, as the priority formula takes it: estimated anew now and then."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from moderation.review.quality import team_error
from moderation.review.transaction import Transaction

WINDOW = timedelta(days=90)
RENEWED = timedelta(hours=1)


@dataclass(slots=True)
class TeamError:
    """The share of decisions that are wrong, of the last 90 days; an estimate holds for an hour."""

    _mean: float | None = field(default=None, init=False)
    _made_at: datetime | None = field(default=None, init=False)

    def mean(self, tx: Transaction) -> float:
        """As it is at the time of `tx`."""
        # A clock that was set back ends it, too.
        is_fresh = self._made_at is not None and abs(tx.now - self._made_at) < RENEWED
        if self._mean is None or not is_fresh:
            estimate = team_error(tx.connection, tx.rules, since=tx.now - WINDOW)
            self._mean, self._made_at = estimate.mean, tx.now
        return self._mean
