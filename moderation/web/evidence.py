"""What a reviewer sees of an item beside the media: plain values out of what is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from moderation.casework.deployment import Deployment
from moderation.casework.evidence import (
    LookalikeRoute,
    deciding_result,
    near_duplicates,
    newest_result,
)
from moderation.intake.errors import UnknownItem
from moderation.intake.listings import find_item
from moderation.intake.types import Item
from moderation.priority.factors import PriorityFactors
from moderation.priority.words import amount
from moderation.results import from_row
from moderation.review.types import ReviewTask
from moderation.types import CalibratedScore, ItemResult, Mode

_FACTS: Mapping[str, str] = {
    "score": "score, 0 wholly fabricated to 9 wholly authentic",
    "probability": "P(manipulated)",
    "severity": "harm of one view, by the clause",
    "missed": "harm of leaving it up, beside its views",
    "cost_of_wrong": "harm of acting on it, if it is genuine",
    "wrong_per_view": "of that, for each view",
    "remaining_views": "views still to come, as forecast",
    "views_per_hour": "views an hour now",
    "minutes": "minutes that a review takes",
    "reviewer_error": "share of reviews that err",
    "is_held": "held back from the public meanwhile",
}


@dataclass(frozen=True, slots=True)
class Why:
    """Why a task is where it is. told: sentences. numbers: every stored factor by its meaning."""

    told: Sequence[str]
    numbers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ItemEvidence:
    """item: None where none is kept. explained: with a rationale, where there is one."""

    item: Item | None
    result: ItemResult | None
    explained: ItemResult | None
    calibrated: CalibratedScore | None
    lookalikes: Sequence[LookalikeRoute]


def why(task: ReviewTask, now: datetime) -> Why | None:
    """None where the factors were written by something else."""
    try:
        factors = PriorityFactors.from_json(dict(task.factors))
    except (KeyError, TypeError, ValueError):
        return None
    numbers = [
        (_FACTS[one.name], _number(getattr(factors.facts, one.name)))
        for one in fields(factors.facts)
    ]
    numbers.append(("expected harm if it stays up", _number(factors.facts.up)))
    numbers.append(("expected harm if it is acted on", _number(factors.facts.down)))
    numbers.append(("worth of the review when it was new", _number(factors.worth)))
    numbers.append(("priority now", _number(factors.value(now))))
    return Why(factors.explain(now), numbers)


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return amount(value, digits=4)


def evidence_of(connection: Connection, task: ReviewTask, deployment: Deployment) -> ItemEvidence:
    """Of the item of a task."""
    try:
        item = find_item(connection, task.item_id)
    except UnknownItem:
        return ItemEvidence(None, None, None, None, ())
    row = deciding_result(connection, item)
    full = newest_result(connection, item.sha256, Mode.FULL)
    result = None if row is None else from_row(row.result)[0]
    return ItemEvidence(
        item=item,
        result=result,
        explained=None if full is None else from_row(full.result)[0],
        calibrated=None
        if row is None or result is None
        else deployment.calibrated(result, Mode(row.mode)),
        lookalikes=list(near_duplicates(connection, item.sha256)),
    )
