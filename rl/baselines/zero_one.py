"""GRPO with the 0/1 reward: standard RL on a verifiable answer."""

from typing import Literal

from rl.rollout_objective import SampledScore, exact_match
from rl.strict_model import StrictModel


class ZeroOne(StrictModel):
    """1 where the sampled digit is the label, rounded to a level; else, or without a digit, 0."""

    kind: Literal["zero_one"]

    def build(self) -> SampledScore:
        """The objective."""
        return SampledScore(reward=exact_match, worst_reward=0.0)
