"""What scores are worth: the calibrator in force, whether it still holds, and how that shows."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.monitor import LABELS_MIN
from moderation.calibration.reliability import Reliability, reliability
from moderation.casework.calibration_check import (
    SCORES_MIN,
    CalibrationEvidence,
    calibration_evidence,
)
from moderation.casework.surveillance import random_sample_error
from moderation.database import reading
from moderation.types import Mode, RouteBounds
from moderation.web.context import Days, Services
from moderation.web.guard import ConsoleRoute
from moderation.web.plots.distributions import drift_plot, score_bins
from moderation.web.plots.reliability import reliability_diagram
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
_SEED, _DRAWS = 0, 1000


@dataclass(frozen=True, slots=True)
class CalibratorInForce:
    """With the bounds that the live policy's alphas have under it."""

    mode: Mode
    fitted: FittedCalibrator
    bounds: RouteBounds


@router.get("/console/lead/calibration")
def show_calibration(request: Request, services: Services, days: Days = 30) -> Response:
    """Recent scores against those of the fit, and rulings against what was stated."""
    parts = services.parts
    now, used = parts.clock(), parts.deployment()
    since = now - timedelta(days=days)
    with reading(parts.engine) as connection:
        evidence = calibration_evidence(connection, used, parts.rules, since=since, now=now)
        sample = random_sample_error(connection, parts.rules, since=since, now=now)
    in_force = [
        CalibratorInForce(mode, fitted, used.deployed(mode, used.live).bounds)
        for mode, fitted in sorted(used.calibrators.items())
    ]
    has_scores = evidence is not None and evidence.recent_M.size > 0
    bins = score_bins(evidence.reference_N, evidence.recent_M) if evidence and has_scores else []
    found = _reliability(evidence)
    return page(
        request,
        "lead/calibration.html",
        days=days,
        used=used,
        in_force=in_force,
        evidence=evidence,
        report=None if evidence is None else evidence.monitored(np.random.default_rng(_SEED)),
        sample=sample,
        reliability=found,
        curve=[] if found is None else _rows(found),
        diagram=_diagram(found),
        bins=bins,
        drift_plot=drift_plot(bins, "drift") if bins else None,
        scores_min=SCORES_MIN,
        labels_min=LABELS_MIN,
    )


def _reliability(evidence: CalibrationEvidence | None) -> Reliability | None:
    if evidence is None or not len(evidence.ruled):
        return None
    draws = evidence.ruled.draws(_DRAWS, _SEED)
    return reliability(evidence.ruled, evidence.probability_N, draws)


def _diagram(found: Reliability | None) -> Markup | None:
    return None if found is None else reliability_diagram(found.curve, "reliability")


def _rows(found: Reliability) -> list[tuple[str, int, float, float, float, float]]:
    """Bin, items, stated, found, low and high; NaN in bins with too few items."""
    curve, bins = found.curve, len(found.curve.items_B)
    return [
        (
            f"{k / bins:g} to {(k + 1) / bins:g}",
            int(curve.items_B[k]),
            float(curve.stated_B[k]),
            float(curve.found_B[k]),
            float(curve.low_B[k]),
            float(curve.high_B[k]),
        )
        for k in range(bins)
        if curve.items_B[k]
    ]
