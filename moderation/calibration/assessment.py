"""Does a calibrator do elsewhere what it promised?"""

from dataclasses import dataclass

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.coverage import Coverage, coverages
from moderation.calibration.digits import naive_probability
from moderation.calibration.items import LabelledItems
from moderation.calibration.realised_risk import Risk, risks
from moderation.calibration.reliability import Reliability, reliability


@dataclass(frozen=True, slots=True, eq=False)
class SplitAssessment:
    """Everything about one split."""

    name: str
    items: LabelledItems
    before: Reliability
    after: Reliability
    coverages: tuple[Coverage, ...]
    risks: tuple[Risk, ...]


def assess(
    calibrator: FittedCalibrator, name: str, items: LabelledItems, *, draws: int, seed: int
) -> SplitAssessment:
    """One split, before calibration (1 - score / 9 read as a probability) and after."""
    sample = items.draws(draws, seed)
    return SplitAssessment(
        name,
        items,
        reliability(items, naive_probability(items.digit_NK), sample),
        reliability(items, calibrator.method.probability(items.digit_NK), sample),
        tuple(coverages(calibrator, items, draws=draws, seed=seed)),
        tuple(risks(calibrator, items, draws=draws, seed=seed)),
    )
