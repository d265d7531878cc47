"""GRPO with the squared distance between the sampled digit and the label.

E[(s - y)^2] = (yhat - y)^2 + Var(s): unlike REAL's reward it pays for a distribution without
spread.
"""

from typing import Literal

import torch

from rl.rollout_objective import WORST_REWARD, SampledScore
from rl.strict_model import StrictModel


def negative_squared_error(level_B: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """-(s - y)^2."""
    return -(level_B - y_B).square()


class SquaredError(StrictModel):
    """-(s - y)^2 of the sampled digit s; -81 without a digit."""

    kind: Literal["squared_error"]

    def build(self) -> SampledScore:
        """The objective."""
        return SampledScore(reward=negative_squared_error, worst_reward=WORST_REWARD)
