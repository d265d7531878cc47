"""Does a calibrator do elsewhere what it promised? Figures with intervals over sources.

`split` is a part of a corpus that the calibrator was not fitted on. Sources are resampled whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.artefact import IntervalRecord
from moderation.calibration.calibrator import FittedCalibrator, cells_of, interval_method
from moderation.calibration.digits import naive_probability
from moderation.calibration.draws import Draws, Flags, Floats
from moderation.calibration.estimate import PERCENTILES, Estimate, estimate
from moderation.calibration.items import LabelledItems
from moderation.types import RouteBounds

DIAGRAM_BINS = 10
ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2)
# Fewer items in a bin say nothing to the eye.
BIN_ITEMS_MIN = 5
# Who has the quantile of its modality, as in service.
SERVED = "by modality"


class Kept(StrEnum):
    """Whether a promise holds: `WITHIN` means missed, but no more than chance over sources."""

    HELD = "held"
    WITHIN = "within chance"
    BROKEN = "broken"


def at_most(found: Estimate, promised: float) -> Kept:
    """A rate that may not exceed `promised`; broken where the whole interval lies above."""
    if not np.isfinite(found.value) or found.value <= promised:
        return Kept.HELD
    return Kept.BROKEN if np.isfinite(found.low) and found.low > promised else Kept.WITHIN


def at_least(found: Estimate, promised: float) -> Kept:
    """A rate that may not fall short of `promised`."""
    if not np.isfinite(found.value) or found.value >= promised:
        return Kept.HELD
    return Kept.BROKEN if np.isfinite(found.high) and found.high < promised else Kept.WITHIN


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A reliability diagram, arrays by bin; NaN where a bin holds fewer than 5 items."""

    stated_B: Floats
    found_B: Floats
    low_B: Floats
    high_B: Floats
    items_B: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Probabilities of one split: figures by name, and the diagram."""

    figures: dict[str, Estimate]
    curve: Curve


def reliability(items: LabelledItems, probability_N: Floats, draws: Draws) -> Reliability:
    """How far stated probabilities are from what is found."""
    pair, once = (probability_N, items.is_manipulated_N), items.once()

    def both(name: str, of_draws: Floats, of_once: Floats) -> tuple[str, Estimate]:
        return name, estimate(float(of_once[0]), of_draws, has_interval=items.sources > 1)

    figures = dict(
        (
            both("brier", metrics.brier(*pair, draws), metrics.brier(*pair, once)),
            both(
                "nll",
                metrics.negative_log_likelihood(*pair, draws),
                metrics.negative_log_likelihood(*pair, once),
            ),
            both(
                "ece",
                metrics.reliability_bins(*pair, draws).expected_error_D,
                metrics.reliability_bins(*pair, once).expected_error_D,
            ),
            both("adaptive_ece", _adaptive_error(*pair, draws), _adaptive_error(*pair, once)),
        )
    )
    return Reliability(figures, _curve(items, probability_N, draws))


def _adaptive_error(probability_N: Floats, is_manipulated_N: Flags, draws: Draws) -> Floats:
    found = [
        metrics.equal_mass_bins(probability_N, is_manipulated_N, block).expected_error_D
        for block in draws.blocks()
    ]
    return np.concatenate(found)


def _curve(items: LabelledItems, probability_N: Floats, draws: Draws) -> Curve:
    pair = (probability_N, items.is_manipulated_N)
    once = metrics.reliability_bins(*pair, items.once(), DIAGRAM_BINS)
    drawn_DB = metrics.reliability_bins(*pair, draws, DIAGRAM_BINS).rate_DB
    bin_N = np.minimum((probability_N * DIAGRAM_BINS).astype(np.int64), DIAGRAM_BINS - 1)
    items_B = np.bincount(bin_N, minlength=DIAGRAM_BINS).astype(np.float64)
    is_shown_B = items_B >= BIN_ITEMS_MIN
    low_B, high_B = np.full(DIAGRAM_BINS, np.nan), np.full(DIAGRAM_BINS, np.nan)
    if items.sources > 1:
        for place in np.flatnonzero(is_shown_B):
            kept = drawn_DB[np.isfinite(drawn_DB[:, place]), place]
            low_B[place], high_B[place] = np.percentile(kept, PERCENTILES)

    def shown(value_B: Floats) -> Floats:
        return np.where(is_shown_B, value_B, np.nan)

    return Curve(shown(once.probability_DB[0]), shown(once.rate_DB[0]), low_B, high_B, items_B)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often labels of a group lie in their intervals. cell: whose quantile served them."""

    method: str
    group: str
    cell: str
    items: int
    sources: int
    covered: Estimate
    width: float
    kept: Kept


def coverages(
    calibrator: FittedCalibrator, items: LabelledItems, *, draws: int, seed: int
) -> list[Coverage]:
    """Each interval method, for all items, by modality and by generator family.

    Families are served by the cell of their modality, as when the generator is unknown, and once
    more by their own where the calibrator has one.
    """
    graded = items.take(np.isfinite(items.y_N))
    found: list[Coverage] = []
    for record in calibrator.artefact.intervals if len(graded) else ():
        by_modality = cells_of(record, record.by_modality)
        by_family = cells_of(record, record.by_family)
        served_N = by_modality.quantiles(graded.modality_N.tolist())
        owned_N = by_family.quantiles(graded.family_N.tolist())
        everyone = np.ones(len(graded), dtype=np.bool_)
        asked = [("all", SERVED, everyone, served_N)]
        for name in _names(graded.modality_N):
            asked.append((name, by_modality.group(name), graded.modality_N == name, served_N))
        for name in _names(graded.family_N):
            asked.append((name, SERVED, graded.family_N == name, served_N))
            if by_family.group(name) == name:
                asked.append((name, name, graded.family_N == name, owned_N))
        for group, cell, member_N, quantile_N in asked:
            part = graded.take(member_N)
            is_in_N, width = _covered(record, part, quantile_N[member_N])
            covered = mean_estimate(part, is_in_N, draws=draws, seed=seed)
            counts = (len(part), part.sources)
            kept = at_least(covered, record.coverage)
            found.append(Coverage(record.method, group, cell, *counts, covered, width, kept))
    return found


def _covered(
    record: IntervalRecord, items: LabelledItems, quantile_N: Floats
) -> tuple[Floats, float]:
    """Whether each label is in its interval, as 0 and 1, and the intervals' mean width."""
    method = interval_method(record.method)
    low_N, high_N = method.interval(items.digit_NK, quantile_N, record.coverage)
    is_in_N = ((low_N <= items.y_N) & (items.y_N <= high_N)).astype(np.float64)
    return is_in_N, float(np.average(high_N - low_N, weights=items.weight_N))


def _names(group_N: np.ndarray[tuple[int], np.dtype[np.object_]]) -> list[str]:
    return sorted({name for name in group_N.tolist() if name})


def mean_estimate(items: LabelledItems, value_N: Floats, *, draws: int, seed: int) -> Estimate:
    """Weighted mean with its interval over sources; NaN where there is no item."""
    if not len(items):
        return Estimate(float("nan"), float("nan"), float("nan"))
    value = float(items.once().mean(value_N)[0])
    value_D = items.draws(draws, seed).mean(value_N)
    return estimate(value, value_D, has_interval=items.sources > 1)


@dataclass(frozen=True, slots=True)
class Risk:
    """What the bounds of one alpha do to a split.

    false_allow: share of manipulated items that are allowed. false_enforce: share of genuine
    items that are enforced. allowed, enforced: shares of all items.
    """

    alpha: float
    bounds: RouteBounds
    false_allow: Estimate
    false_enforce: Estimate
    allowed: float
    enforced: float

    @property
    def allow_kept(self) -> Kept:
        return at_most(self.false_allow, self.alpha)

    @property
    def enforce_kept(self) -> Kept:
        return at_most(self.false_enforce, self.alpha)


def risks(
    calibrator: FittedCalibrator,
    items: LabelledItems,
    *,
    draws: int,
    seed: int,
    alphas: Sequence[float] = ALPHAS,
) -> list[Risk]:
    """Bounds at each alpha, the same for both routes, and the errors they make on `items`."""
    probability_N = calibrator.method.probability(items.digit_NK)
    manipulated, genuine = (
        items.take(items.is_manipulated_N),
        items.take(~items.is_manipulated_N),
    )
    found = []
    for alpha in alphas:
        bounds = calibrator.route_bounds(false_allow_max=alpha, false_enforce_max=alpha)
        allowed_N = is_allowed(probability_N, bounds).astype(np.float64)
        enforced_N = is_enforced(probability_N, bounds).astype(np.float64)
        truth = items.is_manipulated_N
        found.append(
            Risk(
                alpha,
                bounds,
                mean_estimate(manipulated, allowed_N[truth], draws=draws, seed=seed),
                mean_estimate(genuine, enforced_N[~truth], draws=draws, seed=seed),
                float(items.once().mean(allowed_N)[0]),
                float(items.once().mean(enforced_N)[0]),
            )
        )
    return found


def is_allowed(probability_N: Floats, bounds: RouteBounds) -> Flags:
    """Which items the machine allows."""
    limit = -np.inf if bounds.allow_below is None else bounds.allow_below
    allowed_N: Flags = probability_N <= limit
    return allowed_N


def is_enforced(probability_N: Floats, bounds: RouteBounds) -> Flags:
    """Which items the machine enforces against."""
    limit = np.inf if bounds.enforce_above is None else bounds.enforce_above
    enforced_N: Flags = probability_N >= limit
    return enforced_N


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
