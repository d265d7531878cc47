"""Review tasks: what triage found, as work for a person, and as it grows older."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from encoders.types import Modality
from moderation.casework.deployment import Deployment
from moderation.intake.types import Item
from moderation.policy.schema import Policy
from moderation.priority.factors import PriorityFactors
from moderation.priority.lanes import Lane
from moderation.review.arrivals import Revaluation
from moderation.review.tables import IS_WAITING, tasks
from moderation.review.types import NewTask, ReviewTask
from moderation.review_order import review_priority
from moderation.triage.context import TriageContext
from moderation.triage.outcome import TriageOutcome

# A file that nobody could open is given the time of the kind that takes longest.
UNKNOWN_MODALITY = Modality.VIDEO


def priority_of(
    item: Item,
    outcome: TriageOutcome,
    context: TriageContext,
    deployment: Deployment,
    policy: Policy,
    *,
    score: float | None,
) -> PriorityFactors:
    """The place of `item`'s review, with every factor."""
    return review_priority(
        outcome,
        policy,
        context,
        deployment.order,
        score=score,
        views_per_hour=item.views.an_hour,
        arrived_at=item.created_at,
    )


def new_task(
    item: Item,
    outcome: TriageOutcome,
    factors: PriorityFactors,
    *,
    modality: Modality | None,
    now: datetime,
) -> NewTask:
    """The review of `item`, as the queue takes it."""
    fresh = revaluation(factors, now)
    due_at = factors.deadline_at or item.created_at + timedelta(hours=outcome.sla_hours)
    return NewTask(
        item_id=item.id,
        sha256=item.sha256,
        clause_id=outcome.clause_id,
        policy_version=outcome.policy_id,
        modality=modality or UNKNOWN_MODALITY,
        created_at=item.created_at,
        lane=int(factors.lane),
        priority=fresh.priority,
        handling_minutes=outcome.harm.minutes,
        factors=fresh.factors,
        rerank_at=fresh.rerank_at,
        is_harmful=outcome.legal_lane is not None,
        # What was neither drawn nor asked for has no place in the sample; its label is left out
        # by `moderation.casework.feedback`, which reads the outcome.
        propensity=outcome.review_propensity or 1.0,
        is_sampled=factors.is_sampled,
        group_id=item.sha256,
        due_at=due_at,
    )


def revaluation(factors: PriorityFactors, now: datetime) -> Revaluation:
    """The stored priority at `now`: in the legal lane the earlier deadline is the higher one."""
    rerank_at = None if factors.lane is Lane.LEGAL else factors.next_rerank_at(now)
    return Revaluation(-factors.sort_key(now)[1], factors.as_json(), rerank_at)


def value(task: ReviewTask, now: datetime) -> Revaluation:
    """The priority of a waiting task as it has aged, for `moderation.review.arrivals.rerank`."""
    return revaluation(PriorityFactors.from_json(dict(task.factors)), now)


def backlog_minutes(connection: Connection) -> float:
    """Admitted work that waits; what is deferred does not count, or the bar would never sink."""
    total = connection.scalar(
        select(func.sum(tasks.c.handling_minutes)).where(
            IS_WAITING, tasks.c.lane < int(Lane.DEFERRED)
        )
    )
    return float(total or 0.0)
