"""Whether the calibrator in use still holds, from what the database has of late."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from moderation.calibration.digits import expected_scores
from moderation.calibration.draws import Floats
from moderation.calibration.monitor import MonitorReport, ReviewedSample, monitor
from moderation.casework.deployment import Deployment
from moderation.casework.feedback import Reviewed, reviewed
from moderation.intake.tables import results
from moderation.results import from_row
from moderation.review.rules import ReviewRules

SCORES_MIN, SCORES_MAX = 50, 5_000
LEVEL = 0.01
"""Rate of false alarms of one check."""


def check_calibration(
    connection: Connection,
    deployment: Deployment,
    rules: ReviewRules,
    *,
    since: datetime,
    now: datetime,
    generator: np.random.Generator,
) -> MonitorReport | None:
    """Recent scores, and rulings by 1 / propensity, against the fit. See `calibration.monitor`.

    None where there is no calibrator, or fewer than `SCORES_MIN` recent scores.
    """
    fitted = deployment.calibrators.get(deployment.mode)
    if fitted is None:
        return None
    recent_MK = _recent_digits(connection, deployment, since)
    if len(recent_MK) < SCORES_MIN:
        return None
    context = deployment.context(deployment.mode)
    ruled = reviewed(connection, rules, context, since=since, now=now)
    labelled = [(one, digits) for one in ruled if (digits := _digits(one)) is not None]
    sample = None
    if labelled:
        sample = ReviewedSample(
            fitted.method.probability(np.array([digits for _, digits in labelled])),
            np.array([one.label.is_manipulated for one, _ in labelled]),
            np.array([1.0 / one.propensity for one, _ in labelled]),
        )
    return monitor(
        np.array(fitted.artefact.reference_scores, dtype=np.float64),
        expected_scores(recent_MK),
        sample,
        level=LEVEL,
        generator=generator,
    )


def _recent_digits(connection: Connection, deployment: Deployment, since: datetime) -> Floats:
    newest = (
        select(results.c.result)
        .where(
            results.c.judge_id == deployment.judge_id,
            results.c.mode == deployment.mode,
            results.c.setup == deployment.setup,
            results.c.is_scored,
            results.c.created_at >= since,
        )
        .order_by(results.c.created_at.desc())
        .limit(SCORES_MAX)
    )
    judged = [from_row(row)[0].judgment for row in connection.scalars(newest)]
    return np.array(
        [one.digit_probabilities_K for one in judged if one is not None], dtype=np.float64
    )


def _digits(one: Reviewed) -> tuple[float, ...] | None:
    judgment = None if one.result is None else one.result.judgment
    return None if judgment is None else judgment.digit_probabilities_K
