"""Logistic regression on the whole digit distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from moderation.calibration.digits import log_digits
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.log_odds import sigmoid, unit_weights
from moderation.types import LEVELS_K

# Below this the logarithm of a level's mass says more of rounding than of the item.
_FLOOR = 1e-4
_PENALTY_INVERSE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class DigitRegression:
    """Log-odds linear in ln p(k): one slope a level, (K,), and an intercept.

    Dirichlet calibration (Kull et al. 2019, arXiv:1910.12656) of the digit distribution onto two
    classes. An L2 penalty on slopes of unit-variance features holds ten parameters down.
    """

    slope_K: Floats
    intercept: float
    name: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        if self.slope_K.shape != (LEVELS_K,) or not np.all(np.isfinite(self.slope_K)):
            raise ValueError(f"{self.slope_K.size} slopes, not {LEVELS_K} finite ones")

    @classmethod
    def fit(cls, digit_NK: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None) -> Self:
        from sklearn.linear_model import LogisticRegression

        log_p_NK = log_digits(digit_NK, _FLOOR)
        centre_K, spread_K = log_p_NK.mean(axis=0), log_p_NK.std(axis=0)
        spread_K = np.where(spread_K > 0, spread_K, 1.0)
        model = LogisticRegression(C=_PENALTY_INVERSE, tol=1e-8, max_iter=1000).fit(
            (log_p_NK - centre_K) / spread_K,
            is_manipulated_N,
            sample_weight=unit_weights(is_manipulated_N, weight_N),
        )
        slope_K = np.asarray(model.coef_[0], dtype=np.float64) / spread_K
        return cls(slope_K, float(model.intercept_[0] - slope_K @ centre_K))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        slope_K = np.asarray(parameters["slopes"], dtype=np.float64)
        return cls(slope_K, float(parameters["intercept"]))

    def parameters(self) -> dict[str, float | list[float]]:
        return {"slopes": self.slope_K.tolist(), "intercept": self.intercept}

    def probability(self, digit_NK: Floats) -> Floats:
        return sigmoid(log_digits(digit_NK, _FLOOR) @ self.slope_K + self.intercept)
