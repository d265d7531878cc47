"""Learning rates of a stage: one for the projectors, one for the adapter."""

import math
from typing import Any

from rl.judge_model import JudgeModel
from rl.stages.schema import StageRecipe


def parameter_groups(judge: JudgeModel, stage: StageRecipe) -> list[dict[str, Any]]:
    """The groups of an optimiser over all that is trained."""
    adapter = [p for p in judge.backbone.parameters() if p.requires_grad]
    return [
        {"params": list(judge.projector.parameters()), "lr": stage.projector_rate},
        {"params": adapter, "lr": stage.adapter_rate},
    ]


def rising(step: int, stage: StageRecipe) -> float:
    """Factor of the learning rates: linear up to 1 over the warm-up, then 1."""
    return min(1.0, (step + 1) / max(1, stage.warm_up_steps))


def rising_and_falling(step: int, stage: StageRecipe) -> float:
    """The same, then a cosine down to a twentieth."""
    if step < stage.warm_up_steps:
        return rising(step, stage)
    done = (step - stage.warm_up_steps) / max(1, stage.steps - stage.warm_up_steps)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
