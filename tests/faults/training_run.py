"""Trains the small judge in a process of its own, which may kill itself."""

import os
import signal
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from rl.recipe import Recipe
from rl.stages.run import stage_folder, train_stages
from rl.stages.stage_log import LOG
from tests.unit.rl import media_judge as tiny

RECIPE = Recipe.model_validate(
    {
        "judge": tiny.JUDGE.model_copy(update={"rationale_tokens_max": 8}),
        "stages": [
            {
                "kind": "regression",
                "steps": 130,
                "batch_items": 2,
                "checkpoint_steps": 20,
                "validate_steps": 60,
                "validate_items": 4,
            },
            {
                "kind": "rollouts",
                "steps": 12,
                "step_items": 2,
                "rollouts_G": 4,
                "checkpoint_steps": 5,
                "objective": {"kind": "real", "mass_weight": 0.1},
            },
        ],
    }
)


def steps_done(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def train(backbone: Path, out: Path, killed_stage: int, killed_step: int) -> None:
    """killed_stage: number of the stage that is killed at a step, 0 for none."""
    torch.set_num_threads(1)
    judge = tiny.model(backbone, tiny.examples(), RECIPE.judge)
    if killed_stage:
        path = stage_folder(out, killed_stage, RECIPE.stages[killed_stage - 1]) / LOG

        def die(*_: Any) -> None:
            if steps_done(path) >= killed_step:
                os.kill(os.getpid(), signal.SIGKILL)

        judge.projector.register_forward_pre_hook(die)
    held_out = tiny.examples(16, split="validation")[12:]
    train_stages(judge, RECIPE, tiny.examples(), held_out, out, console=Console(quiet=True))
