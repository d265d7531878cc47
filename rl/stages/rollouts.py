"""Reinforcement learning on rollouts of the judge: `RealTrainer` with one of the objectives."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from transformers.integrations import TensorBoardCallback
from trl import GRPOConfig

from moderation.progress import counted
from rl.data import Example
from rl.json_log import JsonLog
from rl.judge_model import JudgeModel
from rl.soft_token_policy import SoftTokenPolicy
from rl.soft_token_rollouts import SoftTokenRollouts
from rl.stages.batches import endless_batches
from rl.stages.context import StageContext
from rl.stages.optimisation import parameter_groups, rising
from rl.stages.schema import RolloutsStage
from rl.stages.stage_log import LOG, board
from rl.stages.validation import chosen, validate
from rl.trainer import RealTrainer
from rl.trainer_checkpoint import checkpoint_step, last_checkpoint


def train(stage: RolloutsStage, judge: JudgeModel, context: StageContext) -> None:
    """Train in place, from the folder's last checkpoint if there is one.

    The judge ends with the weights of its best validation, without any with the last ones.
    """
    last = last_checkpoint(context.folder)
    start = checkpoint_step(last)
    policy = SoftTokenPolicy(judge, {e.path: e.features for e in context.train})
    optimiser = torch.optim.AdamW(parameter_groups(judge, stage), weight_decay=stage.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rising(step, stage))
    held_out = chosen(context.validation, stage.validate_items, seed=context.seed)
    with counted(
        context.console, stage.steps - start, f"steps of {context.folder.name}"
    ) as advance:
        trainer = _ValidatedTrainer(
            policy,
            args=_config(stage, judge, context),
            objective=stage.objective.build(),
            train_dataset=_rows(in_order(stage, judge, context)),
            eval_dataset=_rows(held_out) if stage.validate_steps else None,
            processing_class=judge.tokenizer,
            rollout_func=SoftTokenRollouts(policy, {e.path: e.claims for e in context.train}),
            callbacks=_callbacks(stage, context, start, advance),
            optimizers=(optimiser, schedule),
            stage=stage,
            held_out=held_out,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    judge.eval()


class _ValidatedTrainer(RealTrainer):
    """Validates by the code that serves the judge, one greedy rationale an item."""

    def __init__(
        self,
        policy: SoftTokenPolicy,
        *,
        stage: RolloutsStage,
        held_out: Sequence[Example],
        **rest: Any,
    ) -> None:
        super().__init__(policy, **rest)
        self._stage, self._held_out = stage, held_out

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Spearman's correlation and mean absolute error, logged."""
        judge = self.accelerator.unwrap_model(self.model).body.judge
        figures = validate(judge, self._held_out, self._stage.validate_mode).logged()
        self.log(dict(figures))
        # Callbacks change the control in place.
        self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures


class _Steps(TrainerCallback):  # type: ignore[misc]
    """Counts steps on the console, and asks for a checkpoint every so many."""

    def __init__(self, stage: RolloutsStage, advance: Any) -> None:
        self._every, self._advance = stage.checkpoint_steps, advance

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One more."""
        self._advance()
        if state.global_step % self._every == 0:
            control.should_save = True


class _Board(TensorBoardCallback):  # type: ignore[misc]
    """TensorBoard's curves, without the figures that a step does not have."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
        """A point of each curve."""
        known = {name: value for name, value in (logs or {}).items() if value is not None}
        super().on_log(args, state, control, known, **rest)


def in_order(stage: RolloutsStage, judge: JudgeModel, context: StageContext) -> list[Example]:
    """The items of all steps, one after the other, so that a step's prompts are of like length."""
    batches = endless_batches(judge, context.train, size=stage.step_items, seed=context.seed)
    return list(islice(chain.from_iterable(batches), stage.steps * stage.step_items))


def _rows(examples: Sequence[Example]) -> Dataset:
    return Dataset.from_dict(
        {"prompt": [e.path for e in examples], "y": [float(e.y) for e in examples]}
    )


def _callbacks(
    stage: RolloutsStage, context: StageContext, start: int, advance: Any
) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [JsonLog(context.folder / LOG), _Steps(stage, advance)]
    if PartialState().is_main_process:
        callbacks.append(_Board(board(context.folder, start=start)))
    if stage.patience is not None:
        callbacks.append(EarlyStoppingCallback(stage.patience))
    return callbacks


def _config(stage: RolloutsStage, judge: JudgeModel, context: StageContext) -> GRPOConfig:
    processes = PartialState().num_processes
    rollouts = stage.step_items * stage.rollouts_G
    validation: dict[str, Any] = {"save_steps": stage.checkpoint_steps}
    if stage.validate_steps is not None:
        validation = {
            "eval_strategy": "steps",
            "eval_steps": stage.validate_steps,
            # The best weights are those of a checkpoint, so each validation makes one.
            "save_steps": stage.validate_steps,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_spearman",
            "greater_is_better": True,
        }
    return GRPOConfig(
        output_dir=str(context.folder),
        max_steps=stage.steps,
        per_device_train_batch_size=rollouts // stage.parts // processes,
        gradient_accumulation_steps=stage.parts,
        num_generations=stage.rollouts_G,
        # Their order is that of `in_order`.
        shuffle_dataset=False,
        max_completion_length=judge.rationale_tokens_max,
        loss_type="dr_grpo",
        max_grad_norm=stage.gradient_clip,
        disable_dropout=True,
        activation_checkpointing=stage.recompute_activations,
        bf16=False,
        use_cpu=judge.device.type == "cpu",
        seed=context.seed,
        logging_steps=1,
        save_strategy="steps",
        # The best and the last.
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        report_to="none",
        disable_tqdm=True,
        **validation,
    )
