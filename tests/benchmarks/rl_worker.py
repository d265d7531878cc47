"""One side of the RL benches in a process of its own, driven over a pipe."""

import os
import resource
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from moderation.app import build_weights
from moderation.judge.backbone_weights import load_backbone, load_tokenizer, quiet_peft
from moderation.judge.prompt import POLICY_TEXT
from moderation.judge.score_head import SCORE_CUE
from moderation.settings import Settings
from rl.rollout_objective import RegressionAware
from rl.score_cue import ScoreCue
from rl.text_rollouts import TextRollouts
from rl.trainer import RealTrainer

BACKBONE = "smollm2-135m-instruct"
CUES = ("resynthesis", "blended edge", "spliced sound", "repeated frame", "mouth out of step")


@dataclass(frozen=True, slots=True)
class Size:
    """prompts: groups a step. rollouts: G of a group. tokens_max: longest completion."""

    layers: int
    prompts: int
    rollouts: int
    tokens_max: int

    @property
    def rows(self) -> int:
        """Rollouts of a step."""
        return self.prompts * self.rollouts


def ledger(number: int, runs: int) -> str:
    """What a judge might write: runs of a timeline, then the score behind its cue."""
    told = [
        f"{1.5 * k:.1f}-{1.5 * (k + 1):.1f} s: {CUES[(number + k) % len(CUES)]}"
        for k in range(runs)
    ]
    return "; ".join(told) + f". Edited in {runs} places.{SCORE_CUE}{number % 10}"


def dataset(size: Size) -> Dataset:
    """As many prompts as a step has; with the chat template each has about 200 tokens."""
    prompts = []
    for k in range(size.prompts):
        facts = f"```\nvideo {6 + k}.0 s, 1280x720, 30 frames a second, speech: none\n```\n"
        shown = [f"window {n}: edges {n % 3}, spectrum {(n + k) % 5}" for n in range(6)]
        content = f"{facts}Signals: {'; '.join(shown)}. Write the ledger, then the score."
        system = {"role": "system", "content": POLICY_TEXT}
        prompts.append([system, {"role": "user", "content": content}])
    y = [(2.5 * k) % 9 for k in range(size.prompts)]
    return Dataset.from_dict({"prompt": prompts, "y": y})


def config(folder: str, size: Size, steps: int) -> GRPOConfig:
    """The same for both trainers: the options that RealTrainer asks for."""
    return GRPOConfig(
        output_dir=folder,
        per_device_train_batch_size=size.rows,
        num_generations=size.rollouts,
        max_completion_length=size.tokens_max,
        max_steps=steps,
        loss_type="dr_grpo",
        top_k=0,
        learning_rate=1e-5,
        save_strategy="no",
        logging_steps=1,
        report_to="none",
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        disable_tqdm=True,
        seed=1,
    )


def backbone(size: Size) -> tuple[Any, Any]:
    """The starter's language model, its first layers, and its tokenizer."""
    folder = build_weights(Settings.load()).path(BACKBONE)
    return load_backbone(folder, dtype=torch.bfloat16, layers=size.layers), load_tokenizer(folder)


def write_rollouts(connection: Any, size: Size, path: Path) -> None:
    """Completions of every prompt of a step, with the logits at their scores, into a file."""
    model, tokenizer = backbone(size)
    cue = ScoreCue(tokenizer)
    made: dict[str, Any] = {"prompt_ids": [], "completion_ids": [], "logprobs": None}
    made |= {"score_index": [], "score_logits": []}
    for place, row in enumerate(dataset(size)):
        prompt = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, return_dict=True
        )["input_ids"]
        for k in range(size.rollouts):
            text = ledger(place * size.rollouts + k, 2 + k % 5)
            ids = [*tokenizer.encode(text), tokenizer.eos_token_id]
            index = cue.score_index(ids)
            with torch.inference_mode():
                whole = torch.tensor([[*prompt, *ids[:index]]])
                logits_V = model(whole, logits_to_keep=1).logits[0, -1].float()
            made["prompt_ids"].append(prompt)
            made["completion_ids"].append(ids)
            made["score_index"].append(index)
            made["score_logits"].append(logits_V)
    torch.save(made, path)
    lengths = [len(ids) for ids in made["completion_ids"]]
    connection.send(
        {
            "prompt_tokens": [len(ids) for ids in made["prompt_ids"][:: size.rollouts]],
            "completion_tokens_mean": sum(lengths) / len(lengths),
            "completion_tokens_max": max(lengths),
        }
    )


class Turns(TrainerCallback):  # type: ignore[misc]
    """Waits for its turn before each step, and tells how long the step took."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._begin = connection, 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """A step is everything from here: scoring, loss, gradients and the optimiser."""
        self._connection.recv()
        self._begin = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Seconds of this step."""
        self._connection.send(time.perf_counter() - self._begin)


def run_steps(connection: Any, size: Size, path: Path, steps: int, is_ours: bool) -> None:
    """Steps on the rollouts of a file; at last the peak of resident memory in MiB."""
    # TRL's own trainer would report to its makers.
    os.environ["CI"] = "1"
    model, tokenizer = backbone(size)
    made = torch.load(path)
    extra = {} if is_ours else {"score_index": None, "score_logits": None}
    rollouts = {k: v for k, v in made.items() if k not in extra}
    cue = ScoreCue(tokenizer)

    def distance(
        completion_ids: Sequence[Sequence[int]], y: Sequence[float], **_: Any
    ) -> list[float]:
        places = [cue.score_index(ids) for ids in completion_ids]
        levels = [
            None if place is None else cue.level(ids[place])
            for ids, place in zip(completion_ids, places, strict=True)
        ]
        return [
            -9.0 if level is None else -abs(level - label)
            for level, label in zip(levels, y, strict=True)
        ]

    with tempfile.TemporaryDirectory() as folder, quiet_peft():
        common = {
            "args": config(folder, size, steps),
            "train_dataset": dataset(size),
            "processing_class": tokenizer,
            "rollout_func": lambda _prompts, _trainer: dict(rollouts),
            "peft_config": LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"),
            "callbacks": [Turns(connection)],
        }
        if is_ours:
            objective = RegressionAware(refinement_weight=0.1, likelihood_weight=0.1)
            trainer: GRPOTrainer = RealTrainer(model, objective=objective, **common)
        else:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "You are using 'rollout_func'", UserWarning)
                trainer = GRPOTrainer(model, reward_funcs=distance, **common)
        before = _resident_peak_mib()
        trainer.train()
    connection.send({"peak_mib": _resident_peak_mib(), "peak_before_mib": before})


def run_generation(connection: Any, size: Size) -> None:
    """Rollouts of every prompt by the way that is asked for: seconds and tokens."""
    os.environ["CI"] = "1"
    model, tokenizer = backbone(size)
    shared = TextRollouts(tokenizer)
    data = dataset(size)
    prompts = [row["prompt"] for row in data for _ in range(size.rollouts)]
    with tempfile.TemporaryDirectory() as folder, quiet_peft():
        trainer = RealTrainer(
            model,
            args=config(folder, size, 1),
            objective=RegressionAware(refinement_weight=0.1, likelihood_weight=0.1),
            train_dataset=data,
            processing_class=tokenizer,
            rollout_func=shared,
        )
        while (asked := connection.recv()) is not None:
            way, seed = asked
            torch.manual_seed(seed)
            begin = time.perf_counter()
            if way == "shared":
                written = shared(prompts, trainer)["completion_ids"]
            else:
                ids, images, fields = trainer._tokenize_prompts(prompts)
                written, _ = trainer._generate_single_turn(ids, images, fields, size.rollouts)
            elapsed = time.perf_counter() - begin
            assert written is not None
            connection.send({"seconds": elapsed, "tokens": sum(len(ids) for ids in written)})


def _resident_peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
