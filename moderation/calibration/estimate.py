"""A figure and how far it can be trusted: percentile intervals, paired differences, p-values."""

from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Floats

PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % percentile interval over sources; NaN where it is not defined.

    draws: in how many bootstrap draws the figure was defined.
    """

    value: float
    low: float
    high: float
    draws: int = 0

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Difference:
    """The paired difference of two judges on the same rows, `first - second`.

    p: two-sided bootstrap p-value of no difference (Davison and Hinkley 1997, section 4.2),
    never below 2 / (draws + 1).
    """

    value: float
    low: float
    high: float
    p: float


def estimate(value: float, value_D: Floats, *, has_interval: bool = True) -> Estimate:
    """The figure and the percentile interval of its draws.

    has_interval: False where the items come from one source: there is nothing to resample.
    """
    kept = value_D[np.isfinite(value_D)]
    if not has_interval or not kept.size or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"), int(kept.size))
    low, high = np.percentile(kept, PERCENTILES)
    return Estimate(value, float(low), float(high), int(kept.size))


def difference(first: float, second: float, first_D: Floats, second_D: Floats) -> Difference:
    """`first - second` with the interval of the paired draws, and its p-value."""
    value_D = first_D - second_D
    kept = value_D[np.isfinite(value_D)]
    if not kept.size:
        return Difference(first - second, float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(kept, PERCENTILES)
    return Difference(first - second, float(low), float(high), two_sided_p(kept))


def two_sided_p(difference_D: Floats) -> float:
    """Twice the smaller share of draws on either side of 0, counting the sample itself."""
    draws = difference_D.size
    below = (1 + np.count_nonzero(difference_D <= 0)) / (draws + 1)
    above = (1 + np.count_nonzero(difference_D >= 0)) / (draws + 1)
    return float(min(1.0, 2 * min(below, above)))
