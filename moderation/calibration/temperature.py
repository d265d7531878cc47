"""Temperature scaling of the digit distribution, with a bias on the genuine level."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from moderation.calibration.digits import log_digits
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.log_odds import (
    log_sum_exp,
    sigmoid,
    smoothed_targets,
    unit_weights,
)
from moderation.calibration.logistic import minimise_log_loss
from moderation.types import LEVELS_K

GENUINE = LEVELS_K - 1
_SHARPNESS_MIN, _SHARPNESS_MAX = 1e-3, 1e2


@dataclass(frozen=True, slots=True)
class Temperature:
    """1 - q(9) of q = softmax(log p / T + bias [k = 9]); T > 0.

    By the definition of the graded label, genuine media has y = 9 and every manipulation a y
    that rounds lower: "level 9" and "genuine" are one event, so the mass below level 9 is
    P(manipulated). The bias makes up for another share of manipulated items than in training,
    and for a judge taught by the mean of its digits alone. Guo et al. 2017 (arXiv:1706.04599);
    with the bias, Alexandari et al. 2020 (arXiv:1901.06852).
    """

    temperature: float
    bias: float
    name: ClassVar[str] = "temperature"

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"temperature {self.temperature} is not above 0")

    @classmethod
    def fit(cls, digit_NK: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None) -> Self:
        weight_N = unit_weights(is_manipulated_N, weight_N)
        log_p_NK = log_digits(digit_NK)
        below_NK, genuine_N = log_p_NK[:, :GENUINE], log_p_NK[:, GENUINE]

        def log_odds_N(parameters: Floats) -> Floats:
            sharpness, bias = parameters
            value_N: Floats = log_sum_exp(sharpness * below_NK) - sharpness * genuine_N - bias
            return value_N

        def gradient_NP(parameters: Floats) -> Floats:
            scaled_NK = parameters[0] * below_NK
            share_NK = np.exp(scaled_NK - log_sum_exp(scaled_NK)[:, None])
            slope_N = (share_NK * below_NK).sum(axis=1) - genuine_N
            return np.column_stack([slope_N, -np.ones_like(slope_N)])

        sharpness, bias = minimise_log_loss(
            log_odds_N,
            gradient_NP,
            smoothed_targets(is_manipulated_N, weight_N),
            weight_N,
            start=np.array([1.0, 0.0]),
            bounds=[(_SHARPNESS_MIN, _SHARPNESS_MAX), (None, None)],
        )
        return cls(1 / float(sharpness), float(bias))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        return cls(float(parameters["temperature"]), float(parameters["bias"]))

    def parameters(self) -> dict[str, float | list[float]]:
        return {"temperature": self.temperature, "bias": self.bias}

    def probability(self, digit_NK: Floats) -> Floats:
        scaled_NK = log_digits(digit_NK) / self.temperature
        return sigmoid(log_sum_exp(scaled_NK[:, :GENUINE]) - scaled_NK[:, GENUINE] - self.bias)
