"""What triage is told of an item beside its score."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from encoders.types import Modality
from moderation.triage.sampling import Draws
from moderation.types import Disposition


class Calibrated(Protocol):
    """A score that a calibrator has turned into P(manipulated), such as `CalibratedScore`."""

    @property
    def probability(self) -> float: ...

    @property
    def calibrator_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unscored:
    """No score: an abstention or a failure. code: stable; detail: for people."""

    code: str
    detail: str = ""


class Likeness(StrEnum):
    """How an item is a copy: of the same bytes, or of a picture that looks the same."""

    EXACT = "exact"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Precedent:
    """An earlier item that this one is a copy of, and its route or the decision on it.

    is_by_person: whether a person ruled. distance: Hamming distance of the PDQ hashes, of 256
    bits; 0 for the same bytes.
    """

    item_id: str
    disposition: Disposition
    clause_id: str
    is_by_person: bool
    likeness: Likeness = Likeness.EXACT
    distance: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.distance <= 256 or (self.likeness is Likeness.EXACT and self.distance):
            raise ValueError(f"{self.likeness} copy at distance {self.distance}")
        if self.is_by_person and self.disposition is Disposition.REVIEW:
            raise ValueError("a person's decision is to allow or to enforce")


@dataclass(frozen=True, slots=True)
class TriageContext:
    """One item where and when it is triaged.

    reach: views that acting on it could take from it, in all; remaining_views: still to come.
    Both are forecasts of the platform. reviewer_error: P(a reviewer rules wrongly).
    backlog_minutes: admitted work that waits, without what is deferred; capacity_minutes_per_hour:
    of the reviewers, averaged over the day to come: at night nobody is there, and yet nothing is
    to be deferred for that. disagreement: of the parts of the evidence with each other, [0, 1], see
    `moderation.triage.disagreement`; None where it was not measured. reported_clause: that a
    report names.
    """

    surface: str
    draws: Draws
    modality: Modality | None = None
    reach: float = 0.0
    remaining_views: float = 0.0
    reviewer_error: float = 0.1
    backlog_minutes: float = 0.0
    capacity_minutes_per_hour: float = 0.0
    disagreement: float | None = None
    reported_clause: str | None = None
    precedent: Precedent | None = None

    def __post_init__(self) -> None:
        amounts = (
            self.reach,
            self.remaining_views,
            self.backlog_minutes,
            self.capacity_minutes_per_hour,
        )
        if not all(0.0 <= amount < math.inf for amount in amounts):
            raise ValueError(f"views, backlog and capacity {amounts} must be finite, and 0 or more")
        if not 0.0 <= self.reviewer_error <= 1.0:
            raise ValueError(f"reviewer error {self.reviewer_error} is not in [0, 1]")
        if self.disagreement is not None and not 0.0 <= self.disagreement <= 1.0:
            raise ValueError(f"disagreement {self.disagreement} is not in [0, 1]")

    @property
    def backlog_hours(self) -> float:
        """Admitted work in hours of the reviewers; infinite where there are none."""
        if not self.backlog_minutes:
            return 0.0
        if not self.capacity_minutes_per_hour:
            return math.inf
        return self.backlog_minutes / self.capacity_minutes_per_hour
