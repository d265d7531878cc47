"""What an order knows of a task: one task's numbers, or arrays of N tasks' numbers."""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from moderation.policy.harm import Flags, Number, harm_left_up, harm_taken_down


@dataclass(frozen=True, slots=True)
class TaskFacts(Generic[Number]):
    """Floats of one task, or arrays (N,) of many: orders compute on both alike.

    score: of the judge, 0..9. probability: P(manipulated). Where an item has no score, both are the
    policy's stand-in (`unscored.probability` p, and 9 (1 - p)).
    severity, missed, wrong_per_view: of the clause. cost_of_wrong: of acting on it if it is
    genuine, at its reach. remaining_views, views_per_hour: forecast, and now.
    minutes: expected time of one review. reviewer_error: P(a reviewer rules wrongly).
    is_held: whether the public cannot see it while it waits.
    """

    score: Number
    probability: Number
    severity: Number
    missed: Number
    cost_of_wrong: Number
    wrong_per_view: Number
    remaining_views: Number
    views_per_hour: Number
    minutes: Number
    reviewer_error: Number
    is_held: bool | Flags

    def __post_init__(self) -> None:
        for name in ("probability", "reviewer_error"):
            value = getattr(self, name)
            if not np.all((value >= 0.0) & (value <= 1.0)):
                raise ValueError(f"{name} {value} is not in [0, 1]")
        for name in _AMOUNTS:
            value = getattr(self, name)
            if not np.all((value >= 0.0) & np.isfinite(value)):
                raise ValueError(f"{name} {value} must be finite, and 0 or more")
        if not np.all(np.asarray(self.minutes) > 0.0):
            raise ValueError(f"minutes {self.minutes} must be above 0")

    @property
    def up(self) -> Number:
        """Expected harm if it is left up for good."""
        return harm_left_up(
            self.probability,
            severity=self.severity,
            missed=self.missed,
            remaining_views=self.remaining_views,
        )

    @property
    def down(self) -> Number:
        """Expected harm if it is acted on."""
        return harm_taken_down(self.probability, cost_of_wrong=self.cost_of_wrong)


_AMOUNTS = (
    "score",
    "severity",
    "missed",
    "cost_of_wrong",
    "wrong_per_view",
    "remaining_views",
    "views_per_hour",
    "minutes",
)
