"""Logistic curves of one variable, for probabilities and for graded labels.

Targets may lie anywhere in [0, 1]: fractional logistic regression (Papke & Wooldridge 1996), of
which Platt scaling is the case of targets 0 and 1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from rl.probes.statistics import Floats

SLOPE_MIN, SLOPE_MAX = 1e-3, 1e3


@dataclass(frozen=True, slots=True)
class Curve:
    """sigmoid(slope x + intercept); slope > 0, so that order is kept."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not self.slope > 0.0:
            raise ValueError(f"slope {self.slope} does not keep the order")

    def __call__(self, x_N: Floats) -> Floats:
        curve: Floats = expit(self.slope * x_N + self.intercept)
        return curve


def fit_curve(x_N: Floats, target_N: Floats) -> Curve:
    """Maximum likelihood with a slope of at least 0.001: a direction is given, not learnt."""

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logit_N = parameters[0] * x_N + parameters[1]
        error_N = expit(logit_N) - target_N
        value = float(np.mean(np.logaddexp(0.0, logit_N) - target_N * logit_N))
        return value, np.array([np.mean(error_N * x_N), np.mean(error_N)])

    best = minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(SLOPE_MIN, SLOPE_MAX), (-50.0, 50.0)],
        options={"ftol": 1e-14, "gtol": 1e-9},
    )
    return Curve(float(best.x[0]), float(best.x[1]))
