"""Whether the calibrator in use still holds, from what the database has of late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.digits import expected_scores
from moderation.calibration.draws import Floats
from moderation.calibration.items import LabelledItems, texts
from moderation.calibration.monitor import MonitorReport, ReviewedSample, monitor
from moderation.casework.deployment import Deployment
from moderation.casework.feedback import Reviewed, reviewed
from moderation.intake.tables import results
from moderation.results import from_row
from moderation.review.rules import ReviewRules
from moderation.types import LEVELS_K

SCORES_MIN, SCORES_MAX = 50, 5_000
LEVEL = 0.01
"""Rate of false alarms of one check."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationEvidence:
    """What speaks for or against a calibrator.

    reference_N, recent_M: scores in [0, 9] of the fit and of late. ruled: items that people ruled
    and that this judge has scored, with a label y of NaN, weighted by 1 / propensity;
    probability_N: what the calibrator says of each of these.
    """

    fitted: FittedCalibrator
    reference_N: Floats
    recent_M: Floats
    ruled: LabelledItems
    probability_N: Floats

    @property
    def sample(self) -> ReviewedSample | None:
        """The ruled items as the monitor takes them; None without any."""
        if not len(self.ruled):
            return None
        ruled = self.ruled
        return ReviewedSample(self.probability_N, ruled.is_manipulated_N, ruled.weight_N)

    def monitored(self, generator: np.random.Generator) -> MonitorReport | None:
        """What the monitor says; None with fewer than `SCORES_MIN` recent scores."""
        if len(self.recent_M) < SCORES_MIN:
            return None
        return monitor(
            self.reference_N, self.recent_M, self.sample, level=LEVEL, generator=generator
        )


def calibration_evidence(
    connection: Connection,
    deployment: Deployment,
    rules: ReviewRules,
    *,
    since: datetime,
    now: datetime,
) -> CalibrationEvidence | None:
    """Scores and rulings from `since` on; None where there is no calibrator."""
    fitted = deployment.calibrators.get(deployment.mode)
    if fitted is None:
        return None
    recent_MK = _recent_digits(connection, deployment, since)
    context = deployment.context(deployment.mode)
    ruled = reviewed(connection, rules, context, since=since, now=now)
    items = _labelled([(one, digits) for one in ruled if (digits := _digits(one)) is not None])
    return CalibrationEvidence(
        fitted=fitted,
        reference_N=np.array(fitted.artefact.reference_scores, dtype=np.float64),
        recent_M=expected_scores(recent_MK),
        ruled=items,
        probability_N=fitted.method.probability(items.digit_NK),
    )


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
    evidence = calibration_evidence(connection, deployment, rules, since=since, now=now)
    return None if evidence is None else evidence.monitored(generator)


def _labelled(ruled: Sequence[tuple[Reviewed, tuple[float, ...]]]) -> LabelledItems:
    digit_NK = np.array([digits for _, digits in ruled], dtype=np.float64).reshape(-1, LEVELS_K)
    labels = [one.label for one, _ in ruled]
    return LabelledItems(
        digit_NK=digit_NK / digit_NK.sum(axis=1, keepdims=True),
        is_manipulated_N=np.array([one.is_manipulated for one in labels], dtype=np.bool_),
        y_N=np.full(len(labels), np.nan),
        weight_N=np.array([1.0 / one.propensity for one, _ in ruled], dtype=np.float64),
        source_N=texts([one.sha256 for one in labels]),
        modality_N=texts([str(one.modality) for one in labels]),
        family_N=texts([""] * len(labels)),
        split_N=texts([""] * len(labels)),
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
    digits = [one.digit_probabilities_K for one in judged if one is not None]
    return np.array(digits, dtype=np.float64).reshape(-1, LEVELS_K)


def _digits(one: Reviewed) -> tuple[float, ...] | None:
    judgment = None if one.result is None else one.result.judgment
    return None if judgment is None else judgment.digit_probabilities_K
