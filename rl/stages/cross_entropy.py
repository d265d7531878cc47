"""Supervised fine-tuning to the score token (CE decode), behind true rationales in full mode."""

from dataclasses import dataclass

import torch

from rl.judge_model import JudgeModel, JudgeOutput
from rl.objective import raft_loss, score_cross_entropy, soft_labels
from rl.stages.context import StageContext
from rl.stages.regression import true_rationale
from rl.stages.schema import CrossEntropyStage
from rl.stages.supervised import train_supervised


@dataclass(frozen=True, slots=True)
class CrossEntropyLoss:
    """Cross entropy of the score token; a label between two digits is shared by them."""

    def __call__(
        self, output: JudgeOutput, y_N: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """See `ScoreLoss`."""
        loss = score_cross_entropy(output.log_p_NK, output.log_mass_N, soft_labels(y_N))
        error = raft_loss(output.scores.expected_N, y_N)
        return loss, {"score_cross_entropy": loss.item(), "squared_error": error.item()}


def train(stage: CrossEntropyStage, judge: JudgeModel, context: StageContext) -> None:
    """Train in place."""
    train_supervised(judge, stage, context, loss=CrossEntropyLoss(), rationale=true_rationale)
