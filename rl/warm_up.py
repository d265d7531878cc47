"""RAFT regression of the judge: the fast mode, and the full mode behind reference rationales.

Checkpoints every few steps and resumes where it was stopped.
"""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from moderation.errors import ConfigurationError
from rl.data import Example, paired_batches
from rl.judge_model import JudgeModel
from rl.objective import digit_mass_penalty, raft_loss, rationale_loss
from rl.recipe import OptimiserRecipe
from rl.reference_rationale import reference_rationale

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


def learning_rate_factor(step: int, recipe: OptimiserRecipe) -> float:
    """Linear warm-up, then a cosine to a twentieth."""
    if step < recipe.warm_up_steps:
        return (step + 1) / recipe.warm_up_steps
    done = (step - recipe.warm_up_steps) / max(1, recipe.steps - recipe.warm_up_steps)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def batches(
    examples: Sequence[Example], recipe: OptimiserRecipe, *, start: int
) -> Iterator[tuple[int, list[Example], list[str] | None]]:
    """(step, examples, rationales or None for fast mode) from `start` on.

    Everything is drawn from (seed, epoch) and (seed, step), so that a resumed run sees the same.
    """
    step, epoch = 0, 0
    while step < recipe.steps:
        order = np.random.default_rng((recipe.seed, 1, epoch))
        for chosen in paired_batches(examples, size=recipe.batch_items, generator=order):
            if step >= recipe.steps:
                return
            if step >= start:
                generator = np.random.default_rng((recipe.seed, 2, step))
                batch = [examples[i] for i in chosen]
                is_full = generator.random() < recipe.full_share
                yield step, batch, _rationales(batch, generator) if is_full else None
            step += 1
        epoch += 1


def train(
    model: JudgeModel,
    examples: Sequence[Example],
    recipe: OptimiserRecipe,
    out: Path,
    *,
    console: Console | None = None,
) -> None:
    """Train in place; `out` gets the checkpoint and a JSON line a step.

    console: where progress is shown; None shows none.
    """
    out.mkdir(parents=True, exist_ok=True)
    projector = list(model.projector.parameters())
    adapter = [p for p in model.backbone.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": projector, "lr": recipe.projector_rate},
            {"params": adapter, "lr": recipe.adapter_rate},
        ],
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate_factor(step, recipe)
    )
    start = _resume(out / CHECKPOINT, model, optimiser, schedule, recipe)
    _forget_steps_after(out / LOG, start)
    if start == 0:
        model.fit_normalisation(examples)
    model.train()
    bar = Progress(
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("squared error {task.fields[error]:.2f}"),
        console=console,
        disable=console is None,
    )
    with (out / LOG).open("a", encoding="utf-8") as log, bar:
        task = bar.add_task("", total=recipe.steps, completed=start, error=math.nan)
        for step, batch, rationales in batches(examples, recipe, start=start):
            figures = _step(model, batch, rationales, recipe)
            torch.nn.utils.clip_grad_norm_([*projector, *adapter], recipe.gradient_clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            log.write(json.dumps({"step": step, **figures}) + "\n")
            log.flush()
            bar.update(task, completed=step + 1, error=figures["squared_error"])
            if (step + 1) % recipe.checkpoint_steps == 0 or step + 1 == recipe.steps:
                _checkpoint(out / CHECKPOINT, model, optimiser, schedule, recipe, step + 1)
    model.eval()


def _step(
    model: JudgeModel,
    batch: Sequence[Example],
    rationales: Sequence[str] | None,
    recipe: OptimiserRecipe,
) -> dict[str, Any]:
    output = model(batch, rationales)
    y_N = torch.tensor([e.y for e in batch], device=output.scores.expected_N.device)
    error = raft_loss(output.scores.expected_N, y_N)
    mass = digit_mass_penalty(output.scores.mass_N)
    loss = error + recipe.mass_weight * mass
    figures = {"mode": "fast", "squared_error": error.item(), "mass_penalty": mass.item()}
    if output.rationale_logits_TV is not None and output.rationale_target_T is not None:
        text = rationale_loss(output.rationale_logits_TV, output.rationale_target_T)
        loss = loss + recipe.rationale_weight * text
        figures |= {"mode": "full", "cross_entropy": text.item()}
    loss.backward()  # type: ignore[no-untyped-call]
    return figures


def _rationales(batch: Sequence[Example], generator: np.random.Generator) -> list[str]:
    return [
        reference_rationale(e.claims, e.modalities, e.features.duration_seconds, generator)
        for e in batch
    ]


def _forget_steps_after(log: Path, start: int) -> None:
    """Steps that came after the last checkpoint are taken again, and logged again."""
    if log.exists():
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        log.write_text("".join(lines[:start]), encoding="utf-8")


def _checkpoint(
    path: Path,
    model: JudgeModel,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    recipe: OptimiserRecipe,
    step: int,
) -> None:
    unfinished = path.with_suffix(".new")
    state = {
        "model": model.trainable_state(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "recipe": recipe.model_dump(),
        "step": step,
    }
    torch.save(state, unfinished)
    unfinished.replace(path)


def _resume(
    path: Path,
    model: JudgeModel,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    recipe: OptimiserRecipe,
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state.get("recipe") != recipe.model_dump():
        raise ConfigurationError(
            f"{path} was made with another recipe",
            expected="the recipe that the run began with",
            remedy="Name another --out, or delete the folder to start anew.",
        )
    model.load_state_dict(state["model"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])
