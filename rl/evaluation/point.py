"""Figures of plain arrays, and a bootstrap for any figure that has no weighted form."""

from collections.abc import Callable, Sequence

import numpy as np

from moderation.calibration.draws import (
    Counts,
    Draws,
    Flags,
    Floats,
    bootstrap_draws,
    place_sources,
)
from moderation.calibration.estimate import Estimate, estimate
from rl.evaluation import graded, roc


def auc(score_N: Floats, is_manipulated_N: Flags) -> float:
    """Probability that a genuine item scores above a manipulated one; NaN with one class."""
    curve = roc.roc(score_N, is_manipulated_N, Draws.once(score_N.size))
    return float(roc.auc(curve)[0])


def spearman(score_N: Floats, y_N: Floats) -> float:
    """Rank correlation of scores with graded labels; NaN where either is constant."""
    return float(graded.spearman(score_N, y_N, Draws.once(score_N.size))[0])


def estimate_auc(
    score_N: Floats,
    is_manipulated_N: Flags,
    sources: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """`auc` with its interval over sources; NaN where there is no item."""
    value = auc(score_N, is_manipulated_N) if score_N.size else float("nan")
    if not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"))
    names, place_N = place_sources(sources)
    sample = bootstrap_draws(place_N, draws=draws, seed=seed)
    value_D = np.concatenate(
        [roc.auc(roc.roc(score_N, is_manipulated_N, block)) for block in sample.blocks()]
    )
    return estimate(value, value_D, has_interval=len(names) > 1)


def estimate_mean(
    value_N: Floats, sources: Sequence[str], *, draws: int = 1000, seed: int = 0
) -> Estimate:
    """The mean with its interval over sources; NaN where there is no item."""
    if not value_N.size:
        return Estimate(float("nan"), float("nan"), float("nan"))
    names, place_N = place_sources(sources)
    value_D = bootstrap_draws(place_N, draws=draws, seed=seed).mean(value_N)
    return estimate(float(value_N.mean()), value_D, has_interval=len(names) > 1)


def bootstrap(
    metric: Callable[[Counts], float],
    sources: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """`metric` of row indices, resampling whole sources with replacement (percentile interval).

    Slow: it calls `metric` once a draw. `rl.evaluation.measurement` does all draws at once.
    """
    names, place_N = place_sources(sources)
    members = [np.flatnonzero(place_N == k) for k in range(len(names))]
    sample = bootstrap_draws(place_N, draws=draws, seed=seed)
    value_D = np.array(
        [
            metric(np.concatenate([np.tile(m, int(k)) for m, k in zip(members, row, strict=True)]))
            for row in sample.count_DS
        ]
    )
    return estimate(metric(np.arange(len(place_N))), value_D, has_interval=len(names) > 1)
