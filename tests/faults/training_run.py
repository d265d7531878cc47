"""Trains the small judge in a process of its own, which may be told to kill itself.

    python -m tests.faults.training_run BACKBONE OUT [NUMBER STEP]

NUMBER: of the stage that is killed, once it has done STEP steps.
"""

import os
import signal
import sys
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


def main(backbone: str, out: str, number: str = "0", step: str = "0") -> None:
    torch.set_num_threads(1)
    judge = tiny.model(Path(backbone), tiny.examples(), RECIPE.judge)
    if int(number):
        stage = RECIPE.stages[int(number) - 1]
        path = stage_folder(Path(out), int(number), stage) / LOG

        def die(*_: Any) -> None:
            if steps_done(path) >= int(step):
                os.kill(os.getpid(), signal.SIGKILL)

        judge.projector.register_forward_pre_hook(die)
    train = tiny.examples()
    validation = tiny.examples(16, split="validation")[12:]
    train_stages(judge, RECIPE, train, validation, Path(out), console=Console(quiet=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
