"""How far stated probabilities are from what is found, with intervals over sources."""

from dataclasses import dataclass

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Draws, Flags, Floats
from moderation.calibration.estimate import PERCENTILES, Estimate, estimate
from moderation.calibration.items import LabelledItems

DIAGRAM_BINS = 10
# Fewer items in a bin say nothing to the eye.
BIN_ITEMS_MIN = 5


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
