"""Runs of stages on the small judge."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from rl.judge_model import JudgeModel
from rl.recipe import Recipe
from rl.stages.run import stage_folder, train_stages
from rl.stages.stage_log import LOG
from tests.unit.rl import media_judge as tiny

REGRESSION = {
    "kind": "regression",
    "steps": 12,
    "batch_items": 4,
    "projector_rate": 1e-2,
    "adapter_rate": 1e-2,
    "checkpoint_steps": 5,
}
ROLLOUTS = {
    "kind": "rollouts",
    "steps": 6,
    "step_items": 2,
    "rollouts_G": 4,
    "checkpoint_steps": 2,
    "warm_up_steps": 2,
    "objective": {"kind": "real", "mass_weight": 0.1, "crps_weight": 0.1},
}
# What measures time, or the whole of a run.
_UNLIKE = ("step_time", "runtime", "_per_second", "total_flos", "train_loss")


def recipe(*stages: dict[str, Any], **changes: Any) -> Recipe:
    return Recipe.model_validate({"judge": tiny.JUDGE, "stages": stages} | changes)


def run(backbone: Path, plan: Recipe, out: Path, *, model: JudgeModel | None = None) -> JudgeModel:
    """The trained judge."""
    data = tiny.examples()
    judge = model or tiny.model(backbone, data)
    held_out = tiny.examples(16, split="validation")[12:]
    train_stages(judge, plan, data, held_out, out, console=Console(quiet=True))
    return judge


def log(out: Path, plan: Recipe, number: int = 1) -> list[dict[str, Any]]:
    """Logged figures of a stage, without what measures time."""
    path = stage_folder(out, number, plan.stages[number - 1]) / LOG
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in line.items() if not any(u in k for u in _UNLIKE)} for line in lines]
