"""The loop of the stages that learn from given rationales and labels.

A step sees a batch in fast mode, or in full mode behind rationales. What is drawn is drawn from
(seed, epoch) or (seed, batch), so that a run that was stopped goes on as if it had not been. Of
several processes each takes batches of its own, and gradients are averaged.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce

from moderation.progress import counted
from rl.data import Example
from rl.judge_model import JudgeModel, JudgeOutput
from rl.objective import rationale_loss
from rl.stages.batches import endless_batches
from rl.stages.checkpoint import load, save
from rl.stages.context import StageContext
from rl.stages.optimisation import parameter_groups, rising_and_falling
from rl.stages.schema import SupervisedStage
from rl.stages.stage_log import StageLog
from rl.stages.validation import chosen, validate

RationaleSource = Callable[[Example, np.random.Generator], str | None]
"""The rationale to train an item behind; None where it has none."""


class ScoreLoss(Protocol):
    """What is asked of the score."""

    def __call__(
        self, output: JudgeOutput, y_N: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss with gradients, and its parts by name for the log."""


def train_supervised(
    judge: JudgeModel,
    stage: SupervisedStage,
    context: StageContext,
    *,
    loss: ScoreLoss,
    rationale: RationaleSource,
) -> None:
    """Train in place, from the folder's checkpoint if there is one.

    The judge ends with the weights of its best validation, without any with the last ones.
    """
    processes = PartialState()
    groups = parameter_groups(judge, stage)
    parameters = [parameter for group in groups for parameter in group["params"]]
    optimiser = torch.optim.AdamW(groups, weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: rising_and_falling(step, stage)
    )
    progress = load(context.folder, judge, optimiser, schedule)
    held_out = chosen(context.validation, stage.validate_items, seed=context.seed)
    rank, world = processes.process_index, processes.num_processes
    batches = endless_batches(judge, context.train, size=stage.batch_items, seed=context.seed)
    stream = islice(enumerate(batches), progress.step * world + rank, None, world)
    log = StageLog(context.folder, start=progress.step, is_main=rank == 0)
    bar = counted(context.console, stage.steps - progress.step, f"steps of {context.folder.name}")
    judge.train()
    with log, bar as advance:
        while progress.step < stage.steps and not progress.patience.is_out(stage.patience):
            number, batch = next(stream)
            generator = np.random.default_rng((context.seed, 2, number))
            texts = _texts(batch, stage, rationale, generator)
            figures = _backward(judge, batch, texts, stage, loss)
            if world > 1:
                _average_gradients(parameters)
            torch.nn.utils.clip_grad_norm_(parameters, stage.gradient_clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            progress = progress.at(progress.step + 1)
            log.write(progress.step, figures)
            is_validated = _is_due(progress.step, stage.validate_steps)
            if is_validated:
                measured = validate(judge, held_out, stage.validate_mode)
                log.write(progress.step, measured.logged())
                progress = progress.validated(measured.spearman, judge)
            # The best weights are kept in the checkpoint, so that they and the log are of one run.
            is_kept = is_validated or progress.step == stage.steps
            if rank == 0 and (is_kept or _is_due(progress.step, stage.checkpoint_steps)):
                save(context.folder, judge, optimiser, schedule, progress)
            advance()
    processes.wait_for_everyone()
    if progress.best_state is not None:
        judge.load_trainable_state(progress.best_state)
    judge.eval()


def _is_due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


def _texts(
    batch: Sequence[Example],
    stage: SupervisedStage,
    rationale: RationaleSource,
    generator: np.random.Generator,
) -> list[str | None]:
    """A rationale for each example; None for all in a batch of fast mode."""
    if generator.random() >= stage.full_share:
        return [None] * len(batch)
    return [rationale(example, generator) for example in batch]


def _backward(
    judge: JudgeModel,
    batch: Sequence[Example],
    texts: Sequence[str | None],
    stage: SupervisedStage,
    loss: ScoreLoss,
) -> dict[str, float | str]:
    """Gradients of one batch; in full mode of the items that have a rationale."""
    told = [(example, text) for example, text in zip(batch, texts, strict=True) if text is not None]
    items = [example for example, _ in told] or batch
    output = judge(items, [text for _, text in told] or None)
    y_N = torch.tensor([example.y for example in items], device=judge.device)
    total, parts = loss(output, y_N)
    scores = output.scores
    figures: dict[str, float | str] = {
        "mode": "full" if told else "fast",
        **parts,
        "expected_score": scores.expected_N.mean().item(),
        "digit_mass": scores.mass_N.mean().item(),
    }
    if output.rationale_logits_TV is not None and output.rationale_target_T is not None:
        text_loss = rationale_loss(output.rationale_logits_TV, output.rationale_target_T)
        total = total + stage.rationale_weight * text_loss
        figures["rationale_cross_entropy"] = text_loss.item()
    total.backward()  # type: ignore[no-untyped-call]
    return figures


def _average_gradients(parameters: Sequence[torch.nn.Parameter]) -> None:
    """The mean over processes; one whose batch left a parameter out adds nought."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad = reduce(parameter.grad, "mean")
