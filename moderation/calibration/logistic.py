"""Maximum likelihood of a logistic curve, with targets in [0, 1], weights and bounds."""

from collections.abc import Callable, Sequence

import numpy as np

from moderation.calibration.draws import Floats
from moderation.calibration.log_odds import sigmoid

Bound = tuple[float | None, float | None]


def fit_linear_log_odds(
    feature_NP: Floats, target_N: Floats, weight_N: Floats, bounds: Sequence[Bound]
) -> tuple[Floats, float]:
    """Slopes (P,) and intercept of log-odds linear in the features.

    Fractional logistic regression (Papke and Wooldridge 1996): a convex loss, so the optimum
    within the bounds on the slopes is the only one.
    """
    # Scaled to unit spread: the optimiser's steps are then alike in every direction.
    centre_P, spread_P = feature_NP.mean(axis=0), feature_NP.std(axis=0)
    spread_P = np.where(spread_P > 0, spread_P, 1.0)
    scaled_NP = (feature_NP - centre_P) / spread_P

    def log_odds_N(parameters: Floats) -> Floats:
        return np.asarray(scaled_NP @ parameters[:-1] + parameters[-1])

    def gradient_N(_: Floats) -> Floats:
        return np.column_stack([scaled_NP, np.ones(len(scaled_NP))])

    found = minimise_log_loss(
        log_odds_N,
        gradient_N,
        target_N,
        weight_N,
        start=np.zeros(feature_NP.shape[1] + 1),
        bounds=[*bounds, (None, None)],
    )
    slope_P: Floats = found[:-1] / spread_P
    return slope_P, float(found[-1] - slope_P @ centre_P)


def minimise_log_loss(
    log_odds_N: Callable[[Floats], Floats],
    gradient_NP: Callable[[Floats], Floats],
    target_N: Floats,
    weight_N: Floats,
    *,
    start: Floats,
    bounds: Sequence[Bound],
) -> Floats:
    """Parameters of least weighted log loss, by L-BFGS-B.

    log_odds_N, gradient_NP: of the parameters, and its derivative by each of them.
    """
    from scipy.optimize import minimize

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds_N = log_odds_N(parameters)
        gap_N = weight_N * (sigmoid(odds_N) - target_N)
        value = np.mean(weight_N * (np.logaddexp(0, odds_N) - target_N * odds_N))
        return float(value), gap_N @ gradient_NP(parameters) / target_N.size

    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(bounds),
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    return np.asarray(found.x, dtype=np.float64)
