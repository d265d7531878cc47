"""Runs the stages of a recipe one after the other; what is finished is not run again."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from accelerate import PartialState
from rich.console import Console
from safetensors.torch import load_file, save_file

from moderation.errors import ConfigurationError
from rl.data import Example
from rl.export import file_digest
from rl.judge_model import JudgeModel
from rl.recipe import Recipe
from rl.stages import cross_entropy, regression, rollouts, self_rationale, text_judge
from rl.stages.context import StageContext
from rl.stages.schema import (
    CrossEntropyStage,
    RegressionStage,
    RolloutsStage,
    SelfRationaleStage,
    Stage,
    TextJudgeStage,
)

FINISHED = "judge.safetensors"
PLAN = "recipe.json"


def stage_folder(out: Path, number: int, stage: Stage) -> Path:
    """Where stage `number`, from 1 on, keeps its logs and checkpoints."""
    return out / f"{number}-{stage.kind}"


def train_stages(
    judge: JudgeModel,
    recipe: Recipe,
    train: Sequence[Example],
    validation: Sequence[Example],
    out: Path,
    *,
    console: Console,
) -> None:
    """Train an untrained judge in place, each stage in its folder of `out`.

    A stage that was stopped goes on from its last checkpoint, a finished one is taken as it is.

    Raises:
        ConfigurationError: a stage's folder was begun with another recipe or other data.
    """
    # Accelerate's first state decides for all that follow: processes on CPUs have to be told.
    PartialState(cpu=judge.device.type == "cpu")
    judge.fit_normalisation(train)
    untrained = {name: value.detach().clone() for name, value in judge.trainable_state().items()}
    for number, stage in enumerate(recipe.stages, start=1):
        folder = stage_folder(out, number, stage)
        _require_same(folder, _plan(recipe, number, train, validation))
        finished = folder / FINISHED
        if finished.exists():
            judge.load_trainable_state(load_file(finished, device=str(judge.device)))
            console.print(f"{folder.name} is finished", highlight=False)
            continue
        context = StageContext(
            folder=folder,
            seed=recipe.seed,
            train=train,
            validation=validation,
            untrained=untrained,
            console=console,
        )
        _train(stage, judge, context)
        if PartialState().is_main_process:
            _keep(judge, finished)
        PartialState().wait_for_everyone()
    judge.eval()


def _train(stage: Stage, judge: JudgeModel, context: StageContext) -> None:
    match stage:
        case RegressionStage():
            regression.train(stage, judge, context)
        case CrossEntropyStage():
            cross_entropy.train(stage, judge, context)
        case SelfRationaleStage():
            self_rationale.train(stage, judge, context)
        case TextJudgeStage():
            text_judge.train(stage, judge, context)
        case RolloutsStage():
            rollouts.train(stage, judge, context)


def _keep(judge: JudgeModel, path: Path) -> None:
    unfinished = path.with_suffix(".new")
    state = judge.trainable_state()
    save_file({n: v.detach().cpu().contiguous() for n, v in state.items()}, unfinished)
    unfinished.replace(path)


def _plan(
    recipe: Recipe, number: int, train: Sequence[Example], validation: Sequence[Example]
) -> str:
    """All that a stage depends on: the judge, the stages up to it, and the data."""
    rows = [(e.path, e.features.metadata.sha256, e.y, e.split) for e in (*train, *validation)]
    plan = recipe.model_dump(mode="json")
    plan["stages"] = plan["stages"][:number]
    texts = [stage for stage in recipe.stages[:number] if isinstance(stage, TextJudgeStage)]
    if texts:
        paths = [path for stage in texts for path in text_judge.graded_answers(stage)]
        plan["graded_answers"] = [file_digest(path) for path in paths]
    plan["data"] = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    return json.dumps(plan, indent=1, sort_keys=True) + "\n"


def _require_same(folder: Path, plan: str) -> None:
    path = folder / PLAN
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(plan, encoding="utf-8")
        return
    begun, now = json.loads(path.read_text(encoding="utf-8")), json.loads(plan)
    changed = [key for key in now if begun.get(key) != now[key]]
    if changed:
        raise ConfigurationError(
            f"{folder} was begun with another recipe or other data: {', '.join(changed)} differ",
            expected="the recipe and the data that the run began with",
            remedy="Name another --out, or delete the folder to start anew.",
        )
