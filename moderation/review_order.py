"""From triage to the queue: the priority of an item whose route is REVIEW."""

from datetime import datetime, timedelta

from moderation.policy.harm import cost_of_wrong_action
from moderation.policy.schema import Policy, WhileWaiting
from moderation.priority.factors import PriorityFactors, prioritise
from moderation.priority.facts import TaskFacts
from moderation.priority.orders import SCORE_MAX, Order
from moderation.triage.context import TriageContext
from moderation.triage.outcome import TriageOutcome


def review_priority(
    outcome: TriageOutcome,
    policy: Policy,
    context: TriageContext,
    order: Order,
    *,
    score: float | None,
    views_per_hour: float,
    arrived_at: datetime,
) -> PriorityFactors:
    """The priority of a review, with every factor.

    outcome: of `policy` in `context`. To rank anew as views change, give a context with the new
    ones. score: of the judge, 0..9; None where there is none. views_per_hour: now. arrived_at: of
    the item or of the notice, UTC; the SLA and a legal deadline count from it.
    """
    clause = policy.clause(context.surface, context.reported_clause)
    probability = outcome.probability
    if probability is None:
        probability = policy.unscored.probability
    facts = TaskFacts(
        score=SCORE_MAX * (1.0 - probability) if score is None else score,
        probability=probability,
        severity=clause.severity,
        missed=clause.costs.missed,
        cost_of_wrong=cost_of_wrong_action(
            context.reach,
            wrong=clause.costs.wrong,
            wrong_per_view=clause.costs.wrong_per_view,
            reach_exponent=clause.costs.reach_exponent,
        ),
        wrong_per_view=clause.costs.wrong_per_view,
        remaining_views=context.remaining_views,
        views_per_hour=views_per_hour,
        minutes=clause.minutes.of(context.modality),
        reviewer_error=context.reviewer_error,
        is_held=outcome.while_waiting is WhileWaiting.HELD,
    )
    deadline_at = None
    if outcome.deadline_hours is not None:
        deadline_at = arrived_at + timedelta(hours=outcome.deadline_hours)
    return prioritise(
        order,
        facts,
        arrived_at=arrived_at,
        sla_hours=outcome.sla_hours,
        deadline_at=deadline_at,
        is_deferred=outcome.is_deferred,
        is_sampled=outcome.sample is not None,
    )
