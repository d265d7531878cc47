"""Beta calibration of the expected score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from moderation.calibration.digits import naive_probability
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.log_odds import sigmoid, smoothed_targets, unit_weights
from moderation.calibration.logistic import fit_linear_log_odds

# A share of the scale that no judge resolves: keeps the logarithms of its ends finite.
_EDGE = 1e-4


def _features(digit_NK: Floats) -> Floats:
    """ln s and -ln(1 - s) of s = 1 - score / 9, (N, 2)."""
    s_N = np.clip(naive_probability(digit_NK), _EDGE, 1 - _EDGE)
    return np.column_stack([np.log(s_N), -np.log1p(-s_N)])


@dataclass(frozen=True, slots=True)
class Beta:
    """Log-odds a ln s - b ln(1 - s) + c of s = 1 - score / 9, with a, b >= 0.

    Kull, Silva Filho and Flach 2017 (AISTATS), eq. 7: the ratio of two beta densities.
    """

    a: float
    b: float
    c: float
    name: ClassVar[str] = "beta"

    def __post_init__(self) -> None:
        if not (self.a >= 0.0 and self.b >= 0.0):
            raise ValueError(f"a {self.a} and b {self.b} do not keep the order")

    @classmethod
    def fit(cls, digit_NK: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None) -> Self:
        weight_N = unit_weights(is_manipulated_N, weight_N)
        target_N = smoothed_targets(is_manipulated_N, weight_N)
        (a, b), c = fit_linear_log_odds(
            _features(digit_NK), target_N, weight_N, [(0.0, None), (0.0, None)]
        )
        return cls(float(a), float(b), c)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        return cls(float(parameters["a"]), float(parameters["b"]), float(parameters["c"]))

    def parameters(self) -> dict[str, float | list[float]]:
        return {"a": self.a, "b": self.b, "c": self.c}

    def probability(self, digit_NK: Floats) -> Floats:
        return sigmoid(_features(digit_NK) @ np.array([self.a, self.b]) + self.c)
