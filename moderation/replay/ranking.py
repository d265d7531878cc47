"""Scored uploads as a queue: the route of each, and the reviews in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from moderation.priority.factors import PriorityFactors
from moderation.priority.orders import Order
from moderation.replay.recorded import RecordedItem
from moderation.replay.replaying import Conditions, context_of, replay
from moderation.replay.uploads import Upload
from moderation.review_order import review_priority
from moderation.triage.context import Unscored
from moderation.triage.disagreement import disagreement
from moderation.triage.outcome import TriageOutcome
from moderation.triage.shadow import Deployed
from moderation.types import Disposition, ItemResult

NO_SCORE = "no_score"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One upload with its route. factors: of its place among the reviews; None where it has none:
    the machine decides, or the review of the same bytes serves it."""

    result: ItemResult
    upload: Upload
    outcome: TriageOutcome
    factors: PriorityFactors | None


def rank(
    results: Sequence[ItemResult],
    uploads: Sequence[Upload],
    deployed: Deployed,
    order: Order,
    conditions: Conditions,
    *,
    now: datetime,
) -> list[Ranked]:
    """Reviews first, in their order as if all had arrived `now`; then what the machine enforces,
    and what it allows. results: calibrated.
    """
    items = [_item(*pair) for pair in zip(results, uploads, strict=True)]
    outcomes = replay(items, deployed, conditions)
    ranked = []
    for result, upload, item, outcome in zip(results, uploads, items, outcomes, strict=True):
        factors = None
        if outcome.disposition is Disposition.REVIEW and outcome.served_by is None:
            factors = review_priority(
                outcome,
                deployed.policy,
                context_of(item, conditions),
                order,
                score=None if result.judgment is None else result.judgment.expected_score,
                views_per_hour=upload.views_an_hour,
                arrived_at=now,
            )
        ranked.append(Ranked(result, upload, outcome, factors))
    return sorted(ranked, key=lambda one: _place(one, now))


def _item(result: ItemResult, upload: Upload) -> RecordedItem:
    unscored = Unscored(NO_SCORE if result.error is None else result.error.code)
    return RecordedItem(
        path=result.path,
        sha256=result.sha256,
        modality=result.modality,
        evidence=result.calibrated or unscored,
        surface=upload.surface,
        reach=upload.reach,
        remaining_views=upload.remaining_views,
        disagreement=None
        if result.judgment is None
        else disagreement(result.judgment, result.provenance, None),
        reported_clause=upload.reported_clause,
        is_manipulated=None,
        disposition=None,
    )


def _place(one: Ranked, now: datetime) -> tuple[float, ...]:
    if one.factors is not None:
        return (0, *one.factors.sort_key(now))
    routes = (Disposition.REVIEW, Disposition.ENFORCE, Disposition.ALLOW)
    return (1 + routes.index(one.outcome.disposition),)
