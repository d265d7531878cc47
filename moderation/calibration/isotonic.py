"""Isotonic regression of the expected score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from moderation.calibration.digits import expected_scores
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.log_odds import unit_weights


@dataclass(frozen=True, slots=True, eq=False)
class Isotonic:
    """A falling function given by its M corners, linear in between (Zadrozny and Elkan 2002)."""

    score_M: Floats
    probability_M: Floats
    name: ClassVar[str] = "isotonic"

    def __post_init__(self) -> None:
        if self.score_M.shape != self.probability_M.shape or not self.score_M.size:
            raise ValueError(f"corners {self.score_M.shape} and {self.probability_M.shape}")
        if np.any(np.diff(self.score_M) <= 0) or np.any(np.diff(self.probability_M) > 0):
            raise ValueError("corners are not in order")
        if not 0.0 <= self.probability_M[-1] <= self.probability_M[0] <= 1.0:
            raise ValueError("a probability is not in [0, 1]")

    @classmethod
    def fit(cls, digit_NK: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None) -> Self:
        return cls.fit_scores(expected_scores(digit_NK), is_manipulated_N, weight_N)

    @classmethod
    def fit_scores(
        cls, score_N: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None
    ) -> Self:
        """Kept off 0 and 1 by the rule of succession 1 / (N + 2), from scores alone."""
        from sklearn.isotonic import IsotonicRegression

        model = IsotonicRegression(increasing=False).fit(
            score_N,
            is_manipulated_N.astype(np.float64),
            sample_weight=unit_weights(is_manipulated_N, weight_N),
        )
        edge = 1 / (score_N.size + 2)
        return cls(
            np.asarray(model.X_thresholds_, dtype=np.float64),
            np.clip(np.asarray(model.y_thresholds_, dtype=np.float64), edge, 1 - edge),
        )

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        return cls(
            np.asarray(parameters["scores"], dtype=np.float64),
            np.asarray(parameters["probabilities"], dtype=np.float64),
        )

    def parameters(self) -> dict[str, float | list[float]]:
        return {"scores": self.score_M.tolist(), "probabilities": self.probability_M.tolist()}

    def probability(self, digit_NK: Floats) -> Floats:
        return self.of_scores(expected_scores(digit_NK))

    def of_scores(self, score_N: Floats) -> Floats:
        """P(manipulated) from scores alone."""
        probability_N: Floats = np.interp(score_N, self.score_M, self.probability_M)
        return probability_N
