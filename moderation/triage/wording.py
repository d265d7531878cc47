"""The reasons for a route, in words."""

from collections.abc import Iterator

from moderation.policy.schema import Policy
from moderation.triage.context import Calibrated, Unscored
from moderation.triage.outcome import ExpectedHarm
from moderation.triage.sampling import Sample
from moderation.types import RouteBounds


def reasons(
    evidence: Calibrated | Unscored,
    bounds: RouteBounds,
    policy: Policy,
    *,
    reported_clause: str | None,
    copy: str | None,
    sample: Sample | None,
    propensity: float,
    deferred_below: float | None,
    harm: ExpectedHarm,
) -> Iterator[str]:
    """Sentences, the weightiest first. deferred_below: the bar, where the item is behind it."""
    if isinstance(evidence, Unscored):
        yield f"there is no score ({evidence.code}), so a person decides"
    else:
        yield _place(evidence.probability, bounds, policy)
    if reported_clause is not None:
        yield f"a report names the clause {reported_clause}, so a person decides"
    if copy is not None:
        yield copy
    if sample is not None:
        yield f"it was drawn for the {sample} sample, as {propensity:.1%} of such items are"
    if deferred_below is not None:
        yield (
            f"a review avoids {harm.avoidable_a_minute:.3g} a minute, less than the "
            f"{deferred_below:.3g} that gets in line at this backlog"
        )


def _place(probability: float, bounds: RouteBounds, policy: Policy) -> str:
    told = f"P(manipulated) is {probability:.4g}"
    if bounds.allow_below is not None and probability <= bounds.allow_below:
        told += f", at most {bounds.allow_below:.4g}, up to which the machine may allow"
        return told if policy.routes.allow else f"{told}, but the policy does not let it"
    if bounds.enforce_above is not None and probability >= bounds.enforce_above:
        told += f", at least {bounds.enforce_above:.4g}, from which the machine may enforce"
        return told if policy.routes.enforce else f"{told}, but the policy does not let it"
    low = "none" if bounds.allow_below is None else f"{bounds.allow_below:.4g}"
    high = "none" if bounds.enforce_above is None else f"{bounds.enforce_above:.4g}"
    return f"{told}, between the bounds of acting alone ({low} and {high})"
