"""RAFT regression of the fast mode, and TRACT stage 1: the full mode behind true rationales."""

from dataclasses import dataclass

import numpy as np
import torch

from rl.data import Example
from rl.judge_model import JudgeModel, JudgeOutput
from rl.objective import digit_mass_penalty, raft_loss
from rl.reference_rationale import reference_rationale
from rl.stages.context import StageContext
from rl.stages.schema import RegressionStage
from rl.stages.supervised import train_supervised


@dataclass(frozen=True, slots=True)
class SquaredErrorLoss:
    """Squared error of the expected score, and by its weight what is not on a digit."""

    mass_weight: float

    def __call__(
        self, output: JudgeOutput, y_N: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """See `ScoreLoss`."""
        error = raft_loss(output.scores.expected_N, y_N)
        mass = digit_mass_penalty(output.scores.mass_N)
        parts = {"squared_error": error.item(), "mass_penalty": mass.item()}
        return error + self.mass_weight * mass, parts


def true_rationale(example: Example, generator: np.random.Generator) -> str:
    """The ledger of what was done to an item."""
    duration = example.features.duration_seconds
    return reference_rationale(example.claims, example.modalities, duration, generator)


def train(stage: RegressionStage, judge: JudgeModel, context: StageContext) -> None:
    """Train in place."""
    loss = SquaredErrorLoss(stage.mass_weight)
    train_supervised(judge, stage, context, loss=loss, rationale=true_rationale)
