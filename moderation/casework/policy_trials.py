"""What another policy would have done with what came of late: a replay of recorded scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from encoders.types import Modality
from moderation.casework.deployment import Deployment
from moderation.casework.team import WINDOW
from moderation.intake.tables import dispositions, items, results
from moderation.policy.schema import Policy
from moderation.replay.recorded import RecordedItem, RecordedProbability
from moderation.replay.replaying import Change, Conditions, Load, changes, load_of, replay
from moderation.results import DIGIT_COLUMNS
from moderation.review.labels import labels
from moderation.review.quality import team_error
from moderation.review.rules import ReviewRules
from moderation.review.service_level import service_level
from moderation.triage.context import Calibrated, Unscored
from moderation.types import Disposition, RouteBounds

ITEMS_MAX = 2000


@dataclass(frozen=True, slots=True)
class RecordedUploads:
    """Uploads with the scores of the judge in use; since: when the oldest of them was routed."""

    items: Sequence[RecordedItem]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class PolicyTrial:
    """Two policies on the same uploads, under the same conditions."""

    uploads: RecordedUploads
    conditions: Conditions
    bounds_before: RouteBounds
    bounds_after: RouteBounds
    before: Load
    after: Load
    changed: Sequence[Change]


def try_policy(
    connection: Connection,
    deployment: Deployment,
    rules: ReviewRules,
    *,
    before: Policy,
    after: Policy,
    now: datetime,
    backlog_hours: float | None = None,
) -> PolicyTrial:
    """Replay the newest uploads under both policies; nothing is changed.

    Draws are those of the deployment, the reviewers' error is the team's. backlog_hours: of work
    that waits; None: as much as waits now.
    """
    uploads = recorded_uploads(connection, deployment, rules, now=now)
    if backlog_hours is None:
        level = service_level(
            connection, now=now, since=now, capacity_minutes=deployment.review_minutes_an_hour
        )
        backlog_hours = min(level.hours_of_work, 1e6)
    error = team_error(connection, rules, since=now - WINDOW).mean
    conditions = Conditions(deployment.secret, error, backlog_hours)
    old, new = (deployment.trial(deployment.mode, policy) for policy in (before, after))
    old_outcomes = replay(uploads.items, old, conditions)
    new_outcomes = replay(uploads.items, new, conditions)
    return PolicyTrial(
        uploads=uploads,
        conditions=conditions,
        bounds_before=old.bounds,
        bounds_after=new.bounds,
        before=load_of(uploads.items, old_outcomes, error),
        after=load_of(uploads.items, new_outcomes, error),
        changed=changes(uploads.items, old_outcomes, new_outcomes),
    )


def recorded_uploads(
    connection: Connection,
    deployment: Deployment,
    rules: ReviewRules,
    *,
    now: datetime,
    limit: int = ITEMS_MAX,
) -> RecordedUploads:
    """The newest routes, oldest first, of uploads that the judge in use has seen in its mode.

    Each with the probability that the calibrator in use gives it, and with what people ruled.
    """
    found = connection.execute(
        select(
            items,
            dispositions.c.disposition,
            dispositions.c.outcome,
            dispositions.c.settled_at.label("routed_at"),
            results.c.result,
        )
        .join(dispositions, dispositions.c.item_id == items.c.id)
        .join(results, results.c.sha256 == items.c.sha256)
        .where(
            results.c.judge_id == deployment.judge_id,
            results.c.mode == deployment.mode,
            results.c.setup == deployment.setup,
        )
        .order_by(dispositions.c.settled_at.desc(), items.c.id)
        .limit(limit)
    ).all()
    if not found:
        return RecordedUploads((), None)
    since = found[-1].routed_at
    ruled = {
        label.sha256: label.is_manipulated
        for label in labels(connection, rules, since=since, now=now)
    }
    newest = {row.id: row for row in reversed(found)}
    evidence = _evidence(deployment, [row.result for row in newest.values()])
    return RecordedUploads(
        [
            RecordedItem(
                path=row.id,
                sha256=row.sha256,
                modality=Modality(row.result["modality"]) if row.result["modality"] else None,
                evidence=shown,
                surface=row.surface,
                reach=row.reach,
                remaining_views=row.remaining_views,
                disagreement=row.outcome["disagreement"],
                reported_clause=row.reported_clause,
                is_manipulated=ruled.get(row.sha256),
                disposition=Disposition(row.disposition),
            )
            for row, shown in zip(newest.values(), evidence, strict=True)
        ],
        since,
    )


def _evidence(
    deployment: Deployment, rows: Sequence[dict[str, object]]
) -> list[Calibrated | Unscored]:
    """One a result row: the probability of its digits, or why there is none."""
    fitted = deployment.calibrators.get(deployment.mode)
    if fitted is None:
        return [Unscored("no_calibrator")] * len(rows)
    found: list[Calibrated | Unscored] = [
        Unscored(str(row["error_code"] or "no_score")) for row in rows
    ]
    scored = [k for k, row in enumerate(rows) if row[DIGIT_COLUMNS[0]] is not None]
    if scored:
        digits = [[rows[k][name] for name in DIGIT_COLUMNS] for k in scored]
        digit_NK = np.array(digits, dtype=np.float64)
        digit_NK /= digit_NK.sum(axis=1, keepdims=True)
        for k, probability in zip(scored, fitted.method.probability(digit_NK), strict=True):
            found[k] = RecordedProbability(float(probability), fitted.calibrator_id)
    return found
