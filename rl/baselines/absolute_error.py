"""GRPO with the distance between the sampled digit and the label."""

from typing import Literal

import torch

from moderation.types import LEVELS_K
from rl.rollout_objective import SampledScore
from rl.strict_model import StrictModel


def negative_absolute_error(level_B: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """-|s - y|. Source: VidGuard-R1 (arXiv:2510.02282), whose graded reward is 1 - |s - y|."""
    return -(level_B - y_B).abs()


class AbsoluteError(StrictModel):
    """-|s - y| of the sampled digit s; -9 without a digit."""

    kind: Literal["absolute_error"]

    def build(self) -> SampledScore:
        """The objective."""
        worst = -float(LEVELS_K - 1)
        return SampledScore(reward=negative_absolute_error, worst_reward=worst)
