"""What a rollout is paid, how that becomes an advantage, and what is differentiated directly.

B rollouts, N groups of G rollouts. The gradient of all objectives has the form
E[A dlog pi(c | x)] - d(direct loss), see `rl.trainer`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from moderation.types import LEVELS_K
from rl.objective import (
    bounded_advantage,
    crps,
    digit_mass_penalty,
    group_relative_advantage,
    marginal_wasserstein,
    refinement_loss,
    regression_reward,
)
from rl.rollouts import Rollouts

WORST_REWARD = -float((LEVELS_K - 1) ** 2)
"""What the farthest possible score would cost."""


class RolloutObjective(Protocol):
    """Pays rollouts.

    credits_score: whether the advantage falls on the score token and what follows it too.
    has_direct_loss: whether `direct_loss` is anything but nought.
    """

    @property
    def credits_score(self) -> bool: ...

    @property
    def has_direct_loss(self) -> bool: ...

    def rewards(self, rollouts: Rollouts) -> torch.Tensor:
        """(B,) rewards."""

    def advantages(self, reward_NG: torch.Tensor) -> torch.Tensor:
        """(N, G) advantages within each group."""

    def direct_loss(self, rollouts: Rollouts) -> torch.Tensor:
        """Scalar with gradients, a mean over all B rollouts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionAware:
    """REAL (arXiv:2603.17145): reward, advantage and refinement term, see `rl.objective`.

    refinement_weight: beta, 0 to leave the term out. likelihood_weight: lambda of the reward.
    exploration_weight: 0 leaves the policy gradient out. crps_weight: alpha.
    wasserstein_weight: of the distance of the batch's mean distribution to that of its labels.
    mass_weight: of the penalty on digit mass. worst_reward: of a rollout without a score.
    std_floor, advantage_max: see `bounded_advantage`. claim_weight: what the whole overlap of
    claims and truth is worth, in squared levels of error; no part of REAL.
    """

    refinement_weight: float
    likelihood_weight: float
    exploration_weight: float = 1.0
    crps_weight: float = 0.0
    wasserstein_weight: float = 0.0
    mass_weight: float = 0.0
    worst_reward: float = WORST_REWARD
    std_floor: float = 0.1
    advantage_max: float = 1.0
    claim_weight: float = 0.0

    @property
    def credits_score(self) -> bool:
        """The reward is of the distribution, not of the digit that was drawn from it."""
        return False

    @property
    def has_direct_loss(self) -> bool:
        """Whether any term is differentiated directly."""
        weights = (self.refinement_weight, self.crps_weight, self.wasserstein_weight)
        return any((*weights, self.mass_weight))

    def rewards(self, rollouts: Rollouts) -> torch.Tensor:
        """-(yhat - y)^2 + lambda log p(y), and what claims earn; the worst without a score."""
        reward_B = self._reward(rollouts)
        if self.claim_weight:
            reward_B = reward_B + self.claim_weight * rollouts.overlap_B
        return torch.where(rollouts.is_scored_B, reward_B, self.worst_reward)

    def advantages(self, reward_NG: torch.Tensor) -> torch.Tensor:
        """Leave-one-out over the floored spread, cut."""
        bounds = {"std_floor": self.std_floor, "advantage_max": self.advantage_max}
        return self.exploration_weight * bounded_advantage(reward_NG, **bounds)

    def direct_loss(self, rollouts: Rollouts) -> torch.Tensor:
        """Refinement, alignment and mass terms by their weights; unscored rollouts add nothing."""
        reward_B, is_scored_B = self._reward(rollouts), rollouts.is_scored_B
        loss = self.refinement_weight * refinement_loss(reward_B, is_scored_B)
        scored = rollouts.scored()
        if not len(scored.y_B):
            return loss
        p_SK = scored.log_p_BK.exp()
        aligned = (
            self.crps_weight * crps(p_SK, scored.target_BK).mean()
            + self.wasserstein_weight * marginal_wasserstein(p_SK, scored.target_BK)
            + self.mass_weight * digit_mass_penalty(scored.log_mass_B.exp())
        )
        return loss + aligned * is_scored_B.float().mean()

    def _reward(self, rollouts: Rollouts) -> torch.Tensor:
        return regression_reward(
            rollouts.log_p_BK,
            rollouts.y_B,
            rollouts.target_BK,
            likelihood_weight=self.likelihood_weight,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledScore:
    """GRPO (arXiv:2402.03300) on the digit that was drawn: the advantage falls on every token.

    reward: (levels, labels), both (S,), to (S,) rewards. worst_reward: where no digit was drawn.
    """

    reward: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    worst_reward: float

    @property
    def credits_score(self) -> bool:
        """The drawn digit earns the reward."""
        return True

    @property
    def has_direct_loss(self) -> bool:
        """The reward does not depend on the weights."""
        return False

    def rewards(self, rollouts: Rollouts) -> torch.Tensor:
        """Rewards of the drawn digits."""
        level_B, y_B = rollouts.level_B, rollouts.y_B
        return torch.where(level_B >= 0, self.reward(level_B, y_B), self.worst_reward)

    def advantages(self, reward_NG: torch.Tensor) -> torch.Tensor:
        """Standardised within the group."""
        return group_relative_advantage(reward_NG)

    def direct_loss(self, rollouts: Rollouts) -> torch.Tensor:
        """Nought."""
        return rollouts.log_mass_B.new_zeros(())


def exact_match(level_B: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """1 where the digit is the label, graded labels rounded to the nearest level; else 0."""
    return (level_B == y_B.round()).to(y_B.dtype)
