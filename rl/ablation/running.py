"""Runs an ablation, run by run; it can be stopped at any time and gone on with."""

import gc
import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from moderation.app import build_weights, choose_device
from moderation.errors import ConfigurationError
from moderation.judge.backbone import locate
from moderation.settings import Settings
from moderation.types import Mode
from rl.ablation.calibrated import platt
from rl.ablation.effort import Effort
from rl.ablation.items import load_items
from rl.ablation.plan import AblationPlan
from rl.ablation.predictions import read_predictions, write_predictions
from rl.ablation.run_log import FinishedRun, RunLog
from rl.ablation.stopwatch import elapsed_seconds, timed
from rl.ablation.table import CALIBRATION, figures_of_run
from rl.ablation.testing import detector_rows, judge_rows
from rl.ablation.training import Workshop, row_folder
from rl.corpus.manifest import NAME
from rl.data import Example
from rl.export import file_digest
from rl.preflight import require_graded_answers, require_tokenizer
from rl.seeds import chosen_seeds
from rl.shortened_backbone import shorten

PREDICTIONS = "predictions.parquet"
BACKBONE = "backbone"
# A detector's fit draws nothing: it has one run, under this seed.
DETECTOR_SEED = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One run: a row with a seed."""

    name: str
    seed: int


def run(
    plan: AblationPlan,
    corpus: Path,
    out: Path,
    settings: Settings,
    *,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    console: Console,
) -> list[FinishedRun]:
    """Do what is left of the named rows and seeds, all without names; returns all finished runs.

    Runs go seed by seed, so that a whole table is there after the first.

    Raises:
        ConfigurationError: an unknown row or seed, a corpus that cannot be used, or an `out` with
            runs of another recipe or corpus.
        WeightsMissing: the backbone or an encoder has no weights in the cache.
    """
    log = RunLog(out)
    tasks = left(plan, corpus, log.read(), only=only, seeds=seeds)
    if not tasks:
        return log.read()
    source = plan.recipe.judge.backbone
    backbone = locate(source, build_weights(settings), offline=settings.offline)
    require_tokenizer(plan.training((), 0), backbone)
    for row in plan.rows:
        require_graded_answers(row.stages)
    items = load_items(plan.recipe, corpus, settings, console=console)
    device = choose_device(settings.device)
    if plan.recipe.shortened is not None:
        short = out / f"{BACKBONE}-{_shortening_digest(plan, items.train)}"
        shorten(plan.recipe.shortened, backbone, items.train, short, device=device, console=console)
        backbone = short
    workshop = Workshop(
        plan=plan,
        items=items,
        out=out,
        backbone=backbone,
        device=device,
        console=console,
    )
    begin = time.monotonic()
    for number, task in enumerate(tasks):
        _tell(console, task, number, len(tasks), time.monotonic() - begin)
        log.append(_run(task, workshop, corpus))
        gc.collect()
    return log.read()


def left(
    plan: AblationPlan,
    corpus: Path,
    finished: Sequence[FinishedRun],
    *,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Task]:
    """The runs that are not finished, in the order in which they are done.

    Raises:
        ConfigurationError: see `run`.
    """
    names = plan.chosen(only)
    seeds = chosen_seeds(seeds, plan.recipe.seeds)
    for one in finished:
        if one.row in plan.names and one.recipe_sha256 != digest(plan, one.row, corpus):
            raise ConfigurationError(
                f"row {one.row!r} with seed {one.seed} was finished with another recipe or corpus",
                expected="the recipe and the corpus that the folder began with",
                remedy="Name another --out, or delete the run's folder and its line in runs.jsonl.",
            )
    done = {one.key for one in finished}
    wanted = [Task(name, DETECTOR_SEED) for name in names if name in plan.recipe.detectors] + [
        Task(row.name, seed) for seed in seeds for row in plan.rows if row.name in names
    ]
    return [task for task in wanted if (task.name, task.seed) not in done]


def digest(plan: AblationPlan, name: str, corpus: Path) -> str:
    """Hex SHA-256 of all that the runs of a row depend on but their seed."""
    recipe = plan.recipe
    depends: dict[str, Any] = {
        "items": recipe.items.model_dump(mode="json", exclude_none=True),
        "splits": recipe.splits,
        "manifest": file_digest(corpus / NAME),
        "row": name,
    }
    row = next((row for row in plan.rows if row.name == name), None)
    if row is not None:
        depends |= {
            # The judge's backbone says how it was shortened.
            "training": plan.training(row.stages, 0).model_dump(mode="json", exclude={"shortened"}),
            "mode": row.mode,
            "is_decoded": row.is_decoded,
        }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def _shortening_digest(plan: AblationPlan, train: Sequence[Example]) -> str:
    """Names its recipe and the texts it learnt from, so that no other is taken for it."""
    learnt = [plan.judge.backbone, *((e.path, e.features.metadata.sha256) for e in train)]
    return hashlib.sha256(json.dumps(learnt).encode()).hexdigest()[:12]


def _run(task: Task, workshop: Workshop, corpus: Path) -> FinishedRun:
    plan, items = workshop.plan, workshop.items
    folder = row_folder(workshop.out, task.name, task.seed)
    row = next((row for row in plan.rows if row.name == task.name), None)
    if row is None:
        with timed(folder):
            rows, _ = detector_rows(task.name, items.train, items.tested)
        mode, cost, seconds = Mode.FAST, Effort(0, 0), elapsed_seconds(folder)
    else:
        judge = workshop.trained(row, task.seed)
        mode, cost = row.mode, workshop.effort(row, task.seed, judge)
        seconds = workshop.wall_seconds(row, task.seed)
        rows = judge_rows(row, judge, items.tested, console=workshop.console)
    write_predictions(rows, folder / PREDICTIONS)
    predictions = read_predictions(folder / PREDICTIONS)
    curve = platt(predictions[CALIBRATION].items)
    return FinishedRun(
        row=task.name,
        seed=task.seed,
        mode=mode,
        recipe_sha256=digest(plan, task.name, corpus),
        predictions=(folder / PREDICTIONS).relative_to(workshop.out).as_posix(),
        generated_tokens=cost.generated_tokens,
        steps=cost.steps,
        wall_seconds=round(seconds, 1),
        platt={
            "slope": curve.slope,
            "intercept": curve.intercept,
            "items": len(predictions[CALIBRATION].items),
        },
        figures={
            split: {name: _defined(value) for name, value in found.items()}
            for split, found in figures_of_run(predictions, plan.recipe.splits).items()
        },
    )


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _tell(console: Console, task: Task, number: int, total: int, seconds: float) -> None:
    told = f"run {number + 1} of {total}: {task.name}, seed {task.seed}"
    if number:
        told += f"; about {(total - number) * seconds / number / 60:.0f} min left"
    console.print(told, highlight=False, markup=False)
