"""Reinforcement learning of a text judge: `RealTrainer` with one of the objectives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from rich.console import Console
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig

from moderation.judge.backbone_weights import quiet_peft
from moderation.progress import counted
from rl.json_log import JsonLog
from rl.text_judge.items import TextItem
from rl.text_judge.model import TextJudge
from rl.text_judge.recipe import TextRolloutsStage
from rl.text_judge.regression import LOG, rising
from rl.text_rollouts import TextRollouts
from rl.trainer import RealTrainer
from rl.trainer_checkpoint import checkpoint_step, last_checkpoint


def train(
    stage: TextRolloutsStage,
    judge: TextJudge,
    items: Sequence[TextItem],
    folder: Path,
    *,
    seed: int,
    console: Console,
) -> None:
    """Train in place, from the folder's last checkpoint if there is one; the trainer's log is the
    folder's."""
    last = last_checkpoint(folder)
    left = stage.steps - checkpoint_step(last)
    parameters = [p for p in judge.backbone.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=stage.rate, weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rising(step, stage))
    with counted(console, left, f"steps of {folder.name}") as advance, quiet_peft():
        trainer = RealTrainer(
            judge.backbone,
            args=_config(stage, judge, folder, seed),
            objective=stage.objective.build(),
            train_dataset=dataset(judge, items),
            processing_class=judge.tokenizer,
            rollout_func=TextRollouts(judge.tokenizer),
            callbacks=[JsonLog(folder / LOG), _Advance(advance)],
            optimizers=(optimiser, schedule),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    judge.eval()


def dataset(judge: TextJudge, items: Sequence[TextItem]) -> Dataset:
    """Columns `prompt`, `y` and `raters`, as `RealTrainer` takes them."""
    return Dataset.from_dict(
        {
            "prompt": [judge.writer.prompt(item) for item in items],
            "y": [item.y for item in items],
            "raters": [list(item.raters_K) for item in items],
        }
    )


class _Advance(TrainerCallback):  # type: ignore[misc]
    def __init__(self, advance: Any) -> None:
        self._advance = advance

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One more."""
        self._advance()


def _config(stage: TextRolloutsStage, judge: TextJudge, folder: Path, seed: int) -> GRPOConfig:
    # Cue, digit and end of text stand behind the rationale.
    tokens_max = judge.form.rationale_tokens_max + len(judge.writer.score_cue) + 2
    return GRPOConfig(
        output_dir=str(folder),
        max_steps=stage.steps,
        per_device_train_batch_size=stage.step_items * stage.rollouts_G // stage.parts,
        gradient_accumulation_steps=stage.parts,
        num_generations=stage.rollouts_G,
        max_completion_length=tokens_max,
        loss_type="dr_grpo",
        max_grad_norm=stage.gradient_clip,
        disable_dropout=True,
        activation_checkpointing=stage.recompute_activations,
        bf16=False,
        use_cpu=judge.device.type == "cpu",
        seed=seed,
        logging_steps=1,
        save_strategy="steps",
        save_steps=stage.checkpoint_steps,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )
