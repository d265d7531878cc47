"""Whether a calibrator still holds, and what to do if it does not.

Two questions, which call for two samples. Do scores still come as they did? All recent scores
say. Are probabilities still what they say? Only labels of items that were drawn at random can
say, weighted by 1 / the propensity of being drawn: what reviewers choose to look at is selective.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from moderation.calibration import drift
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.drift import Tested

# By custom: below, a shift is real perhaps, but small.
STABILITY_INDEX_MAX = 0.1
# A gap in probability that no decision turns on.
PROBABILITY_GAP_MAX = 0.02
LABELS_MIN = 50
RESAMPLES = 999
CALIBRATION_TESTS = 3


class Verdict(StrEnum):
    """What to do."""

    HOLDS = "holds"
    LABEL = "label"
    RECALIBRATE = "recalibrate"


@dataclass(frozen=True, slots=True)
class Check:
    """One test. size_min: a smaller `size` raises no alarm, however sure. level: of the test."""

    name: str
    tested: Tested
    size: float
    size_min: float
    level: float
    why: str

    @property
    def is_alarm(self) -> bool:
        return self.tested.p_value <= self.level and self.size >= self.size_min


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """The checks, what follows, and why."""

    checks: tuple[Check, ...]
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedSample:
    """Labels of randomly drawn items beside what the calibrator says of them; arrays by item."""

    probability_N: Floats
    is_manipulated_N: Flags
    weight_N: Floats


def check_scores(
    reference_N: Floats,
    recent_M: Floats,
    generator: np.random.Generator,
    *,
    level: float,
    resamples: int = RESAMPLES,
) -> Check:
    """Do recent scores come from where the reference came from?"""
    tested = drift.wasserstein_test(reference_N, recent_M, generator, resamples)
    edges = drift.decile_edges(reference_N)
    index = drift.population_stability_index(reference_N, recent_M, edges)
    direction = "lower" if recent_M.mean() < reference_N.mean() else "higher"
    return Check(
        "score distribution",
        tested,
        index,
        STABILITY_INDEX_MAX,
        level,
        f"scores are {direction} than when it was fitted, by {tested.value:.2f} levels on "
        f"average over the distribution (PSI {index:.2f}, "
        f"KS {drift.kolmogorov_smirnov(reference_N, recent_M):.2f})",
    )


def check_calibration(
    sample: ReviewedSample,
    generator: np.random.Generator,
    *,
    level: float,
    resamples: int = RESAMPLES,
) -> tuple[Check, ...]:
    """Are probabilities still what they say? Each of three tests at a third of `level`."""
    data = (sample.probability_N, sample.is_manipulated_N, sample.weight_N)
    mean, spread = drift.mean_test(*data), drift.spread_test(*data)
    error = drift.expected_error_test(*data, generator, resamples)
    stated = float(np.average(sample.probability_N, weights=sample.weight_N))
    found = float(np.average(sample.is_manipulated_N, weights=sample.weight_N))
    sureness = "too sure" if spread.value > 0 else "not sure enough"
    return (
        Check(
            "mean probability",
            mean,
            abs(mean.value),
            PROBABILITY_GAP_MAX,
            level / CALIBRATION_TESTS,
            f"{100 * found:.1f} % of the random sample are manipulated, where {100 * stated:.1f} % "
            "were stated",
        ),
        Check(
            "spread of probabilities",
            spread,
            abs(spread.value),
            PROBABILITY_GAP_MAX,
            level / CALIBRATION_TESTS,
            f"probabilities are {sureness}",
        ),
        Check(
            "expected calibration error",
            error,
            error.value,
            PROBABILITY_GAP_MAX,
            level / CALIBRATION_TESTS,
            f"stated and found shares differ by {error.value:.3f} on average over bins",
        ),
    )


def monitor(
    reference_N: Floats,
    recent_M: Floats,
    sample: ReviewedSample | None,
    *,
    level: float,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> MonitorReport:
    """The verdict on a calibrator. False alarms of the whole are at most at the rate `level`.

    reference_N, recent_M: scores in [0, 9] of the fit and of late. sample: the random reviewed
    items; None, or fewer than `LABELS_MIN` of them, leave calibration unknown. resamples: of the
    nulls; the least p-value is 1 / (1 + resamples).

    Raises:
        ValueError: so few resamples can never reach `level`.
    """
    if level / (2 * CALIBRATION_TESTS) < 1 / (1 + resamples):
        raise ValueError(f"{resamples} resamples cannot reach the level {level}")
    has_labels = sample is not None and sample.probability_N.size >= LABELS_MIN
    share = level / 2 if has_labels else level
    scores = check_scores(reference_N, recent_M, generator, level=share, resamples=resamples)
    checks: tuple[Check, ...] = (scores,)
    if sample is not None and has_labels:
        checks += check_calibration(sample, generator, level=share, resamples=resamples)
    reasons = tuple(check.why for check in checks if check.is_alarm)
    if any(check.is_alarm for check in checks[1:]):
        return MonitorReport(checks, Verdict.RECALIBRATE, reasons)
    if not scores.is_alarm:
        return MonitorReport(checks, Verdict.HOLDS, ())
    if has_labels:
        # Another mix of items alone does no harm to probabilities that hold for each of them.
        held = "the random reviewed sample shows no error of calibration"
        return MonitorReport(checks, Verdict.HOLDS, (*reasons, held))
    there = 0 if sample is None else sample.probability_N.size
    wanted = f"{there} labels of a random sample, at least {LABELS_MIN} are needed to tell"
    return MonitorReport(checks, Verdict.LABEL, (*reasons, wanted))
