"""Digit distributions as numbers that calibrators read.

digit_NK: p(k | item) over the K levels 0..9, each row sums to 1. Level 9 is genuine media.
"""

import numpy as np

from moderation.calibration.draws import Floats
from moderation.types import LEVELS_K

LEVEL_K = np.arange(LEVELS_K, dtype=np.float64)
PROBABILITY_MIN = 1e-6


def expected_scores(digit_NK: Floats) -> Floats:
    """sum_k k p(k), (N,), in [0, 9]."""
    score_N: Floats = np.clip(digit_NK @ LEVEL_K, 0.0, LEVELS_K - 1.0)
    return score_N


def log_digits(digit_NK: Floats, floor: float = PROBABILITY_MIN) -> Floats:
    """ln p(k), (N, K), no lower than ln `floor`: some judges give a level no mass at all."""
    value_NK: Floats = np.log(np.maximum(digit_NK, floor))
    return value_NK


def naive_probability(digit_NK: Floats) -> Floats:
    """1 - score / 9: the score read as if it were a probability, before any calibration."""
    probability_N: Floats = 1.0 - expected_scores(digit_NK) / (LEVELS_K - 1)
    return probability_N


def digit_quantile(digit_NK: Floats, level: float) -> Floats:
    """Quantile of the graded score, (N,), in [0, 9].

    The mass of level k is spread evenly over [k - 1/2, k + 1/2], cut to the scale.
    """
    edge_E = np.clip(np.arange(LEVELS_K + 1) - 0.5, 0.0, LEVELS_K - 1.0)
    below_NE = np.concatenate([np.zeros((len(digit_NK), 1)), np.cumsum(digit_NK, axis=1)], axis=1)
    below_NE /= below_NE[:, -1:]
    cell_N = np.clip((below_NE <= level).sum(axis=1) - 1, 0, LEVELS_K - 1)
    row_N = np.arange(len(digit_NK))
    mass_N = below_NE[row_N, cell_N + 1] - below_NE[row_N, cell_N]
    into_N = np.divide(
        level - below_NE[row_N, cell_N], mass_N, out=np.ones_like(mass_N), where=mass_N > 0
    )
    low_N, high_N = edge_E[cell_N], edge_E[cell_N + 1]
    quantile_N: Floats = low_N + np.clip(into_N, 0.0, 1.0) * (high_N - low_N)
    return quantile_N
