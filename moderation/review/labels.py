"""Feedback: what people ruled, as labels for recalibration and training."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, exists, func, select

from encoders.types import Modality
from moderation.review.rules import ReviewRules
from moderation.review.tables import IN_FORCE, STANDS, appeals, decisions, rulings, tasks
from moderation.review.types import AppealState, Verdict

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class ReviewLabel:
    """An item with the ground truth that people found.

    propensity: with which triage sent an item like this to review, (0, 1]; weigh by its inverse.
    reviewers: how many decided; agreement: the share of them that came to this verdict.
    """

    item_id: str
    sha256: str
    modality: Modality
    clause_id: str
    policy_version: str
    is_manipulated: bool
    propensity: float
    decided_at: datetime
    reviewers: int
    agreement: float


def labels(
    connection: Connection, rules: ReviewRules, *, since: datetime, now: datetime
) -> Iterator[ReviewLabel]:
    """Of cases ruled from `since` on, oldest first.

    Left out are rulings that can still be taken back, those under appeal, and those that say
    that the truth could not be found.
    """
    ruling_decision = decisions.alias("ruling_decision")
    is_under_appeal = exists().where(
        appeals.c.case_id == rulings.c.case_id, appeals.c.state == AppealState.OPEN
    )
    verdicts = (
        select(
            decisions.c.case_id,
            func.count().label("reviewers"),
            func.sum(case((decisions.c.verdict == Verdict.MANIPULATED, 1), else_=0)).label(
                "manipulated"
            ),
            func.sum(case((decisions.c.verdict == Verdict.AUTHENTIC, 1), else_=0)).label(
                "authentic"
            ),
        )
        .where(STANDS)
        .group_by(decisions.c.case_id)
        .subquery()
    )
    found = connection.execution_options(yield_per=_ROWS).execute(
        select(tasks, ruling_decision.c.verdict, rulings.c.ruled_at, verdicts)
        .select_from(rulings)
        .join(tasks, tasks.c.id == rulings.c.case_id)
        .join(ruling_decision, ruling_decision.c.id == rulings.c.decision_id)
        .join(verdicts, verdicts.c.case_id == rulings.c.case_id)
        .where(
            IN_FORCE,
            rulings.c.ruled_at >= since,
            rulings.c.ruled_at <= now - rules.undo,
            ruling_decision.c.verdict != Verdict.UNDETERMINED,
            ~is_under_appeal,
        )
        .order_by(rulings.c.ruled_at, rulings.c.id)
    )
    for row in found:
        is_manipulated = row.verdict == Verdict.MANIPULATED
        yield ReviewLabel(
            item_id=row.item_id,
            sha256=row.sha256,
            modality=Modality(row.modality),
            clause_id=row.clause_id,
            policy_version=row.policy_version,
            is_manipulated=is_manipulated,
            propensity=row.propensity,
            decided_at=row.ruled_at,
            reviewers=row.reviewers,
            agreement=(row.manipulated if is_manipulated else row.authentic) / row.reviewers,
        )
