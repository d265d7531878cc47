"""Platt scaling: a logistic curve of the expected score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from moderation.calibration.digits import expected_scores
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.log_odds import sigmoid, smoothed_targets, unit_weights
from moderation.calibration.logistic import fit_linear_log_odds


@dataclass(frozen=True, slots=True)
class Platt:
    """sigmoid(slope score + intercept), slope <= 0 in log-odds a level (Platt 1999)."""

    slope: float
    intercept: float
    name: ClassVar[str] = "platt"

    def __post_init__(self) -> None:
        if not self.slope <= 0.0:
            raise ValueError(f"slope {self.slope} rises with the score")

    @classmethod
    def fit(cls, digit_NK: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None) -> Self:
        return cls.fit_scores(expected_scores(digit_NK), is_manipulated_N, weight_N)

    @classmethod
    def fit_scores(
        cls, score_N: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None
    ) -> Self:
        """Maximum likelihood with smoothed targets, from scores alone."""
        weight_N = unit_weights(is_manipulated_N, weight_N)
        target_N = smoothed_targets(is_manipulated_N, weight_N)
        # A judge that orders its items the wrong way round is flat, not upside down.
        slope_P, intercept = fit_linear_log_odds(
            score_N[:, None], target_N, weight_N, [(None, 0.0)]
        )
        return cls(float(slope_P[0]), intercept)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        return cls(float(parameters["slope"]), float(parameters["intercept"]))

    def parameters(self) -> dict[str, float | list[float]]:
        return {"slope": self.slope, "intercept": self.intercept}

    def probability(self, digit_NK: Floats) -> Floats:
        return self.of_scores(expected_scores(digit_NK))

    def of_scores(self, score_N: Floats) -> Floats:
        """P(manipulated) from scores alone."""
        return sigmoid(self.slope * score_N + self.intercept)
