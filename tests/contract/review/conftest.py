"""A review on a database of either kind, with two reviewers, a third, a lead and a program."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from encoders.types import Modality
from moderation.review.arrivals import enqueue
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.reviewers import enrol
from moderation.review.rules import ReviewRules
from moderation.review.transaction import Review, ReviewEvent
from moderation.review.types import (
    Action,
    Claim,
    Decision,
    Desk,
    Finding,
    NewTask,
    Reviewer,
    Role,
    Verdict,
)

T0 = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
FAKE = Finding(Verdict.MANIPULATED, Action.REMOVE, reason_code="deepfake")
GENUINE = Finding(Verdict.AUTHENTIC, Action.LEAVE, reason_code="no_violation")
LABELLED = Finding(Verdict.MANIPULATED, Action.LABEL, reason_code="satire")


def new_task(name: str, **changes: Any) -> NewTask:
    """A task of an item `name`."""
    task = NewTask(
        item_id=name,
        sha256=name.encode().hex().ljust(64, "0")[:64],
        clause_id="synthetic-person",
        policy_version="1",
        modality=Modality.VIDEO,
        created_at=T0,
        lane=5,
        priority=1.0,
        handling_minutes=2.0,
    )
    return replace(task, **changes)


@dataclass
class Bench:
    """A review with a clock that the test moves, and everything that was recorded."""

    review: Review
    now: datetime = T0
    events: list[ReviewEvent] = field(default_factory=list)

    def wait(self, **length: float) -> None:
        self.now += timedelta(**length)

    def do(self, operation: Callable[..., Any], *values: Any, **options: Any) -> Any:
        """One operation in a transaction of its own, now."""
        with self.review.at(self.now) as tx:
            return operation(tx, *values, **options)

    def add(self, *new: NewTask) -> list[str]:
        return [each.task_id for each in self.do(enqueue, new)]

    def claim(self, who: str, desk: Desk = Desk.GENERAL) -> Claim | None:
        answer: Claim | None = self.do(claim, who, desk)
        return answer

    def work(self, who: str, finding: Finding, desk: Desk = Desk.GENERAL) -> Decision:
        """Claim and decide."""
        claimed = self.claim(who, desk)
        assert claimed is not None
        taken: Decision = self.do(decide, claimed.lease.token, finding)
        return taken

    def with_rules(self, **changes: Any) -> "Bench":
        """The same database under other rules."""
        rules = replace(self.review.rules, **changes)
        return replace(self, review=replace(self.review, rules=rules))


@pytest.fixture
def bench(engine: Engine) -> Bench:
    """Without second reviews and golden items, unless a test asks for them."""
    events: list[ReviewEvent] = []

    def record(_connection: Connection, event: ReviewEvent) -> None:
        events.append(event)

    rules = ReviewRules(second_rate=0.0, golden_rate=0.0, salt="test")
    bench = Bench(Review(engine, rules, record), events=events)
    for person in ("ann", "ben", "cem"):
        bench.do(enrol, Reviewer(person))
    bench.do(enrol, Reviewer("lea", Role.LEAD))
    bench.do(enrol, Reviewer("bot", is_automated=True))
    return bench
