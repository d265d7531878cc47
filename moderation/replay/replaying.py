"""A policy over recorded items, and what another one would have done with them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from moderation.replay.recorded import RecordedItem
from moderation.triage.context import Likeness, Precedent, TriageContext
from moderation.triage.outcome import TriageOutcome
from moderation.triage.sampling import draws_of
from moderation.triage.shadow import Deployed
from moderation.types import Disposition


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the records do not say. key: of the draws; backlog_hours: the same for every item."""

    key: bytes = b"replay"
    reviewer_error: float = 0.1
    backlog_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a policy asks of people, and what harm is to be expected; counts of items.

    minutes: of review, admitted or deferred; sampled: drawn items among the reviews.
    expected_harm: in views of severity 1, by the recorded probabilities; a review leaves what its
    reviewers' error leaves. missed_manipulations, wrongly_enforced: decided by the machine alone
    against the label; labelled: how many items have one.
    """

    allowed: int
    reviewed: int
    enforced: int
    deferred: int
    sampled: int
    copies: int
    minutes: float
    expected_harm: float
    labelled: int
    missed_manipulations: int
    wrongly_enforced: int


def replay(
    items: Sequence[RecordedItem],
    deployed: Deployed,
    conditions: Conditions,
    on_item: Callable[[], None] = lambda: None,
) -> list[TriageOutcome]:
    """The outcome of every item; a later copy of the same bytes is served by the first one."""
    first: dict[str, Precedent] = {}
    outcomes = []
    for item in items:
        same = None if item.sha256 is None else first.get(item.sha256)
        outcome = deployed.triage(item.evidence, context_of(item, conditions, same))
        outcomes.append(outcome)
        if item.sha256 is not None and same is None:
            first[item.sha256] = Precedent(
                item.path, outcome.disposition, outcome.clause_id, False, Likeness.EXACT
            )
        on_item()
    return outcomes


def context_of(
    item: RecordedItem, conditions: Conditions, precedent: Precedent | None = None
) -> TriageContext:
    """What triage is told of a recorded item beside its score."""
    return TriageContext(
        surface=item.surface,
        draws=draws_of(item.sha256 or item.path, key=conditions.key),
        modality=item.modality,
        reach=item.reach,
        remaining_views=item.remaining_views,
        reviewer_error=conditions.reviewer_error,
        backlog_minutes=60.0 * conditions.backlog_hours,
        capacity_minutes_per_hour=60.0,
        disagreement=item.disagreement,
        reported_clause=item.reported_clause,
        precedent=precedent,
    )


def load_of(
    items: Sequence[RecordedItem], outcomes: Sequence[TriageOutcome], reviewer_error: float
) -> Load:
    """Sums over a replay. A copy that waits with its original costs no minutes of its own."""
    routes = Counter(outcome.disposition for outcome in outcomes)
    labelled = [
        (item.is_manipulated, outcome.disposition)
        for item, outcome in zip(items, outcomes, strict=True)
        if item.is_manipulated is not None
    ]
    reviews = [one for one in outcomes if one.disposition is Disposition.REVIEW]
    return Load(
        allowed=routes[Disposition.ALLOW],
        reviewed=routes[Disposition.REVIEW],
        enforced=routes[Disposition.ENFORCE],
        deferred=sum(one.is_deferred for one in reviews),
        sampled=sum(one.sample is not None for one in reviews),
        copies=sum(one.served_by is not None for one in outcomes),
        minutes=sum(one.harm.minutes for one in reviews if one.served_by is None),
        expected_harm=sum(harm_left(one, reviewer_error) for one in outcomes),
        labelled=len(labelled),
        missed_manipulations=labelled.count((True, Disposition.ALLOW)),
        wrongly_enforced=labelled.count((False, Disposition.ENFORCE)),
    )


def harm_left(outcome: TriageOutcome, reviewer_error: float) -> float:
    """Expected harm behind a route; of a review, what its errors leave, whenever it comes."""
    up, down = outcome.harm.left_up, outcome.harm.taken_down
    if outcome.disposition is Disposition.ALLOW:
        return up
    if outcome.disposition is Disposition.ENFORCE:
        return down
    return reviewer_error * (up + down)


@dataclass(frozen=True, slots=True)
class Change:
    """One item that another policy treats in another way."""

    path: str
    probability: float | None
    before: str
    after: str
    clause_before: str
    clause_after: str
    is_manipulated: bool | None
    why: str

    def as_row(self) -> dict[str, Any]:
        """One value a column."""
        return asdict(self)


def treatment(outcome: TriageOutcome) -> str:
    """The route in one word or two: with its action, and whether it is deferred."""
    if outcome.action is not None:
        return f"{outcome.disposition} ({outcome.action})"
    return f"{outcome.disposition} (deferred)" if outcome.is_deferred else str(outcome.disposition)


def changes(
    items: Sequence[RecordedItem], before: Sequence[TriageOutcome], after: Sequence[TriageOutcome]
) -> list[Change]:
    """The items that two policies treat in two ways, or put under two clauses."""
    return [
        Change(
            path=item.path,
            probability=new.probability,
            before=treatment(old),
            after=treatment(new),
            clause_before=old.clause_id,
            clause_after=new.clause_id,
            is_manipulated=item.is_manipulated,
            why="; ".join(new.reasons),
        )
        for item, old, new in zip(items, before, after, strict=True)
        if treatment(old) != treatment(new) or old.clause_id != new.clause_id
    ]


def changes_from_record(
    items: Sequence[RecordedItem], after: Sequence[TriageOutcome]
) -> list[Change]:
    """The items whose recorded route is another one than the policy's."""
    return [
        Change(
            path=item.path,
            probability=new.probability,
            before=str(item.disposition),
            after=str(new.disposition),
            clause_before="",
            clause_after=new.clause_id,
            is_manipulated=item.is_manipulated,
            why="; ".join(new.reasons),
        )
        for item, new in zip(items, after, strict=True)
        if item.disposition is not None and item.disposition is not new.disposition
    ]
