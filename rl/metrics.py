"""How well scores separate and rank, with intervals over sources rather than clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc(score_N: Floats, is_manipulated_N: npt.NDArray[np.bool_]) -> float:
    """Probability that a genuine item scores above a manipulated one; NaN with one class."""
    if is_manipulated_N.all() or not is_manipulated_N.any():
        return float("nan")
    return float(roc_auc_score(~is_manipulated_N, score_N))


def spearman(score_N: Floats, y_N: Floats) -> float:
    """Rank correlation of scores with graded labels; NaN where either is constant."""
    if np.ptp(score_N) == 0 or np.ptp(y_N) == 0:
        return float("nan")
    return float(spearmanr(score_N, y_N).statistic)


def bootstrap(
    metric: Callable[[npt.NDArray[np.int64]], float],
    sources: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """`metric` of row indices, resampling whole sources with replacement (percentile interval)."""
    names, place_N = np.unique(np.asarray(sources), return_inverse=True)
    members = [np.flatnonzero(place_N == k) for k in range(len(names))]
    generator = np.random.default_rng(seed)
    values = [
        metric(
            np.concatenate([members[k] for k in generator.integers(len(names), size=len(names))])
        )
        for _ in range(draws)
    ]
    kept = np.asarray([value for value in values if np.isfinite(value)])
    low, high = np.percentile(kept, [2.5, 97.5]) if kept.size else (float("nan"),) * 2
    return Estimate(metric(np.arange(len(place_N))), float(low), float(high))
