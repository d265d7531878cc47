"""Log-odds and probabilities, exact far from 0."""

import numpy as np

from moderation.calibration.draws import Flags, Floats

EPSILON = float(np.finfo(np.float64).eps)


def sigmoid(log_odds_N: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(log_odds_N))
    probability_N: Floats = np.where(log_odds_N >= 0, 1.0, small) / (1.0 + small)
    return probability_N


def log_odds(probability_N: Floats) -> Floats:
    """ln p / (1 - p), finite: p is kept one unit of precision off 0 and 1."""
    inside = np.clip(probability_N, EPSILON, 1 - EPSILON)
    value_N: Floats = np.log(inside) - np.log1p(-inside)
    return value_N


def log_sum_exp(value_NK: Floats) -> Floats:
    """ln sum_k exp(value), (N,), without overflow."""
    top_N = value_NK.max(axis=1)
    total_N: Floats = top_N + np.log(np.exp(value_NK - top_N[:, None]).sum(axis=1))
    return total_N


def unit_weights(is_manipulated_N: Flags, weight_N: Floats | None) -> Floats:
    """Weights of mean 1; all 1 where there are none.

    Raises:
        ValueError: a weight is not finite or not above 0, or there are too many or too few.
    """
    if weight_N is None:
        return np.ones(is_manipulated_N.shape)
    if weight_N.shape != is_manipulated_N.shape or not np.all(np.isfinite(weight_N)):
        raise ValueError(f"weights {weight_N.shape} of {is_manipulated_N.shape} items")
    if not np.all(weight_N > 0):
        raise ValueError("a weight is not above 0")
    scaled_N: Floats = weight_N / weight_N.mean()
    return scaled_N


def smoothed_targets(is_manipulated_N: Flags, weight_N: Floats) -> Floats:
    """Targets a little inside 0 and 1, so that separable items have a finite fit.

    Platt 1999, section 2.2: (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), here of the weights' sums.
    """
    manipulated = float(weight_N[is_manipulated_N].sum())
    genuine = float(weight_N[~is_manipulated_N].sum())
    target_N: Floats = np.where(
        is_manipulated_N, (manipulated + 1) / (manipulated + 2), 1 / (genuine + 2)
    )
    return target_N
