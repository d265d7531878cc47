"""What triage says of one item, with everything that led to it."""

from dataclasses import asdict, dataclass
from typing import Any

from moderation.policy.schema import Action, WhileWaiting
from moderation.triage.sampling import Sample
from moderation.types import Disposition, RouteBounds


@dataclass(frozen=True, slots=True)
class ExpectedHarm:
    """In views of severity 1; see `moderation.policy.harm`. minutes: of one review."""

    left_up: float
    taken_down: float
    avoidable: float
    minutes: float

    @property
    def avoidable_a_minute(self) -> float:
        """What a minute of review is worth."""
        return self.avoidable / self.minutes


@dataclass(frozen=True, slots=True)
class TriageOutcome:
    """The route of one item, and why.

    disposition: the route. machine_route: what the machine would do alone; REVIEW where it may
    not. action: what is done, where the route is ENFORCE. while_waiting: what the public sees of
    it, where the route is REVIEW. is_deferred: it waits behind the admission bar.
    probability: P(manipulated); None without a score. calibrator_id: that said so.
    disagreement: see `TriageContext`.
    sample: why it was drawn, if it was; sample_propensity: P(being drawn).
    review_propensity: P(a person gets to see it in the line in front of the bar), over the draws:
    1 where the score asks for it, the sample's where only the draw does, 0 for a copy that a
    decision is served to, which gives no label of its own.
    served_by: the earlier item whose decision, or waiting task, serves this copy.
    legal_lane, deadline_hours: None without a legal duty. sla_hours: the clause's.
    reasons: in words.
    """

    disposition: Disposition
    machine_route: Disposition
    clause_id: str
    action: Action | None
    while_waiting: WhileWaiting | None
    is_deferred: bool
    probability: float | None
    calibrator_id: str | None
    bounds: RouteBounds
    disagreement: float | None
    sample: Sample | None
    sample_propensity: float
    review_propensity: float
    harm: ExpectedHarm
    bar: float
    backlog_hours: float
    sla_hours: float
    legal_lane: str | None
    deadline_hours: float | None
    served_by: str | None
    policy_id: str
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON has it; infinite numbers as None."""
        record = asdict(self)
        record["harm"]["avoidable_a_minute"] = self.harm.avoidable_a_minute
        if self.backlog_hours == float("inf"):
            record["backlog_hours"] = None
        return record
