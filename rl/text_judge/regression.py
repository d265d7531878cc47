"""RAFT and TRACT stage 1 for a text judge, with the losses of the media judge.

Everything is drawn from (seed, epoch) or (seed, step), so that a run that was stopped goes on as if
it had not been.
"""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from moderation.progress import counted
from rl.json_log import append, forget_after
from rl.objective import rationale_loss
from rl.stages.checkpoint import load, save
from rl.stages.regression import SquaredErrorLoss
from rl.text_judge.items import TextItem
from rl.text_judge.model import TextJudge
from rl.text_judge.schema import TextRegression, TextStage

LOG = "log.jsonl"


def train(
    stage: TextRegression,
    judge: TextJudge,
    items: Sequence[TextItem],
    folder: Path,
    *,
    seed: int,
    console: Console,
) -> None:
    """Train in place, from the folder's checkpoint if there is one.

    The folder's log gets a JSON line a step.
    """
    parameters = [p for p in judge.backbone.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=stage.rate, weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rising(step, stage))
    score_loss = SquaredErrorLoss(stage.mass_weight)
    progress = load(folder, judge, optimiser, schedule)
    forget_after(folder / LOG, progress.step)
    judge.train()
    stream = islice(batches(items, stage.batch_items, seed=seed), progress.step, None)
    left = range(progress.step + 1, stage.steps + 1)
    with counted(console, len(left), f"steps of {folder.name}") as advance:
        for step, batch in zip(left, stream, strict=False):
            is_full = np.random.default_rng((seed, 2, step)).random() < stage.full_share
            texts = [judge.writer.reference(i, judge.form.rationale_tokens_max) for i in batch]
            output = judge(batch, texts if is_full else None)
            y_N = torch.tensor([item.y for item in batch], device=judge.device)
            loss, parts = score_loss(output, y_N)
            if output.rationale_logits_TV is not None and output.rationale_target_T is not None:
                text = rationale_loss(output.rationale_logits_TV, output.rationale_target_T)
                loss = loss + stage.rationale_weight * text
                parts |= {"rationale_cross_entropy": text.item()}
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, stage.gradient_clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            append(folder / LOG, step, {"mode": "full" if is_full else "fast", **parts})
            if step % stage.checkpoint_steps == 0:
                save(folder, judge, optimiser, schedule, progress.at(step))
            advance()
    judge.eval()


def rising(step: int, stage: TextStage) -> float:
    """Factor of the learning rate: linear up to 1 over the warm-up, then 1."""
    return min(1.0, (step + 1) / max(1, stage.warm_up_steps))


def batches(items: Sequence[TextItem], size: int, *, seed: int) -> Iterator[list[TextItem]]:
    """Batch after batch without end, every item once an epoch."""
    for epoch in count():
        order = np.random.default_rng((seed, 1, epoch)).permutation(len(items))
        for start in range(0, len(items), size):
            yield [items[place] for place in order[start : start + size]]
