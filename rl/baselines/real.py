"""REAL (arXiv:2603.17145), its ablations by their weights, and the alignment terms."""

from typing import Literal

from pydantic import Field

from rl.rollout_objective import WORST_REWARD, RegressionAware
from rl.strict_model import StrictModel


class RealWeights(StrictModel):
    """The keys are those of `RegressionAware`.

    refinement_weight: beta; 0 is REAL without refinement. exploration_weight: 0 is REAL without
    exploration. likelihood_weight: lambda. crps_weight: alpha.
    """

    refinement_weight: float = Field(1.0, ge=0)
    likelihood_weight: float = Field(0.1, ge=0)
    exploration_weight: float = Field(1.0, ge=0)
    crps_weight: float = Field(0.0, ge=0)
    wasserstein_weight: float = Field(0.0, ge=0)
    mass_weight: float = Field(0.0, ge=0)
    worst_reward: float = WORST_REWARD
    std_floor: float = Field(0.1, gt=0)
    advantage_max: float = Field(1.0, gt=0)

    def build(self) -> RegressionAware:
        """The objective."""
        return RegressionAware(**self.model_dump(exclude={"kind"}))


class Real(RealWeights):
    """REAL as published."""

    kind: Literal["real"]


class ClaimedReal(RealWeights):
    """REAL that pays for true claims too. claim_weight: what full overlap is worth, in squared
    levels of error."""

    kind: Literal["real_claims"]
    claim_weight: float = Field(gt=0)
