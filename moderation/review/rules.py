"""How a team reviews: times, rates, and draws that need no memory."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from moderation.review.types import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """lease: how long a claim holds without a sign of life. hold_max: and with them.

    undo: how long a decision can be taken back. pass_over: how long a reviewer is not given a
    task again that they skipped. second_rate: share of cases that get a blind second review.
    golden_rate: share of claims that are answered with a golden item. reserved_share: of claims
    that go to the oldest sampled task, so that an overloaded queue reviews the sample too; the
    service takes it from the policy (`sampling.reserved_reviews`).
    ordinary_from_lane: lanes below it are legal; what a deadline rests on never waits for golden
    items or reserved turns. adjudication: the desk where a disagreement goes. leases_max: that
    one reviewer holds. appeal_months: how long a ruling can be appealed. appeal_answer: from the
    filing of an appeal to the end of its service level. salt: a secret of the deployment, so that
    nobody can foretell draws.
    """

    lease: timedelta = timedelta(minutes=10)
    hold_max: timedelta = timedelta(hours=2)
    undo: timedelta = timedelta(minutes=5)
    pass_over: timedelta = timedelta(minutes=15)
    second_rate: float = 0.05
    golden_rate: float = 0.03
    reserved_share: float = 0.05
    ordinary_from_lane: int = 1
    adjudication: Desk = Desk.LEAD
    leases_max: int = 5
    appeal_months: int = 6
    appeal_answer: timedelta = timedelta(days=7)
    salt: str

    def __post_init__(self) -> None:
        for rate in (self.second_rate, self.golden_rate, self.reserved_share):
            if not 0.0 <= rate <= 1.0:
                raise ValueError(f"the rate {rate} is not in [0, 1]")
        if not timedelta(0) < self.lease <= self.hold_max:
            raise ValueError(f"a lease of {self.lease} is not between 0 and {self.hold_max}")
        if self.adjudication is Desk.APPEALS:
            raise ValueError("a disagreement goes to the general desk or to the lead's")
        if self.leases_max < 1 or self.appeal_months < 6:
            raise ValueError("at least one lease a reviewer, and six months for appeals")

    def draw(self, *parts: str) -> float:
        """A number in [0, 1) that looks random and is always the same for the same `parts`.

        Whoever crashes and comes back, or tries again, does not get another throw of the dice.
        """
        digest = hashlib.sha256("\x1f".join((self.salt, *parts)).encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56
