"""The route of an item.

The machine acts alone only inside the bounds of risk control. Everything else is REVIEW: what lies
between the bounds, every abstention and failure, every item that a report names (the bounds hold
for items like those that the calibrator saw, and reported ones are not), and drawn items.
"""

from moderation.policy.harm import (
    avoidable_harm,
    cost_of_wrong_action,
    harm_left_up,
    harm_taken_down,
)
from moderation.policy.schema import Clause, Policy, Routes, WhileWaiting
from moderation.triage import wording
from moderation.triage.admission import admission_bar
from moderation.triage.context import Calibrated, TriageContext, Unscored
from moderation.triage.outcome import ExpectedHarm, TriageOutcome
from moderation.triage.precedents import serve
from moderation.triage.sampling import drawn, sample_propensity
from moderation.types import Disposition, RouteBounds

NEVER = RouteBounds(None, None)


def machine_route(probability: float, bounds: RouteBounds, routes: Routes) -> Disposition:
    """What the machine may do alone; never more lenient at a higher probability.

    Where both bounds meet in `probability`, neither wins.
    """
    may_allow = bounds.allow_below is not None and probability <= bounds.allow_below
    may_enforce = bounds.enforce_above is not None and probability >= bounds.enforce_above
    if may_allow and not may_enforce and routes.allow:
        return Disposition.ALLOW
    if may_enforce and not may_allow and routes.enforce:
        return Disposition.ENFORCE
    return Disposition.REVIEW


def expected_harm(
    probability: float, clause: Clause, context: TriageContext, *, is_held: bool
) -> ExpectedHarm:
    """Of both actions, and what a review avoids of it against leaving the item as it waits."""
    up = harm_left_up(
        probability,
        severity=clause.severity,
        missed=clause.costs.missed,
        remaining_views=context.remaining_views,
    )
    down = harm_taken_down(
        probability,
        cost_of_wrong=cost_of_wrong_action(
            context.reach,
            wrong=clause.costs.wrong,
            wrong_per_view=clause.costs.wrong_per_view,
            reach_exponent=clause.costs.reach_exponent,
        ),
    )
    avoidable = avoidable_harm(up, down, is_held=is_held, reviewer_error=context.reviewer_error)
    return ExpectedHarm(up, down, float(avoidable), clause.minutes.of(context.modality))


def triage(
    evidence: Calibrated | Unscored, bounds: RouteBounds, policy: Policy, context: TriageContext
) -> TriageOutcome:
    """The route of one item under one policy.

    bounds: thresholds that the calibrator made for the policy's alphas.
    """
    clause = policy.clause(context.surface, context.reported_clause)
    probability = None if isinstance(evidence, Unscored) else evidence.probability
    is_reported = context.reported_clause is not None
    alone = Disposition.REVIEW
    if probability is not None and not is_reported:
        alone = machine_route(probability, bounds, policy.routes)
    may_act = probability is not None and not is_reported
    copy = serve(context.precedent, policy.duplicates, clause, alone, may_act=may_act)
    undrawn = alone if copy is None else copy.disposition

    sample, propensity = None, 0.0
    is_settled = copy is not None and copy.is_settled
    if not is_settled:
        sample = drawn(policy.sampling, context.draws, context.disagreement)
        propensity = sample_propensity(policy.sampling, context.disagreement)
    is_review = undrawn is Disposition.REVIEW or sample is not None

    is_held = clause.while_waiting is WhileWaiting.HELD or alone is Disposition.ENFORCE
    harm = expected_harm(
        policy.unscored.probability if probability is None else probability,
        clause,
        context,
        is_held=is_held,
    )
    lane = clause.legal_lane
    bar = admission_bar(policy.admission, context.backlog_hours)
    is_below_bar = harm.avoidable_a_minute < bar and lane is None
    is_deferred = is_review and is_below_bar and sample is None
    is_asked_for = undrawn is Disposition.REVIEW and not is_below_bar

    disposition = Disposition.REVIEW if is_review else undrawn
    return TriageOutcome(
        disposition=disposition,
        machine_route=alone,
        clause_id=clause.id,
        action=clause.action if disposition is Disposition.ENFORCE else None,
        while_waiting=(WhileWaiting.HELD if is_held else WhileWaiting.UP) if is_review else None,
        is_deferred=is_deferred,
        probability=probability,
        calibrator_id=None if isinstance(evidence, Unscored) else evidence.calibrator_id,
        bounds=bounds,
        disagreement=context.disagreement,
        sample=sample,
        sample_propensity=propensity,
        review_propensity=1.0 if is_asked_for else propensity,
        harm=harm,
        bar=bar,
        backlog_hours=context.backlog_hours,
        sla_hours=clause.sla_hours,
        legal_lane=None if lane is None else lane.name,
        deadline_hours=None if lane is None else lane.deadline_hours,
        served_by=None if copy is None else copy.item_id,
        policy_id=policy.id,
        reasons=tuple(
            wording.reasons(
                evidence,
                bounds,
                policy,
                reported_clause=context.reported_clause,
                copy=None if copy is None else copy.told,
                sample=sample,
                propensity=propensity,
                deferred_below=bar if is_deferred else None,
                harm=harm,
            )
        ),
    )
