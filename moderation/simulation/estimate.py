"""Means over seeds, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class Estimate:
    """value: the mean of `seeds` runs; low, high: 95 % interval by Student's t; NaN below two."""

    value: float
    low: float
    high: float
    seeds: int


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and interval of independent runs; runs where the measure is not defined are left out."""
    known = np.array([value for value in values if np.isfinite(value)])
    if known.size < 2:
        value = float(known[0]) if known.size else float("nan")
        return Estimate(value, float("nan"), float("nan"), int(known.size))
    mean = float(known.mean())
    half = float(stats.t.ppf(0.975, known.size - 1) * known.std(ddof=1) / np.sqrt(known.size))
    return Estimate(mean, mean - half, mean + half, int(known.size))
