"""The soft-token judge under RealTrainer: the text path and the serving code agree with it."""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file
from transformers import TrainerCallback

from moderation.errors import ConfigurationError
from rl.json_log import JsonLog
from rl.rollout_objective import RegressionAware
from rl.soft_token_policy import SoftTokenPolicy
from rl.soft_token_rollouts import SoftTokenRollouts
from rl.trainer import RealTrainer
from tests.unit.judge.builders import features, write_backbone
from tests.unit.rl import toy_judge as toy
from tests.unit.rl.small_policy import MEDIA, TRUTH, policy

DATA = Dataset.from_dict({"prompt": list(MEDIA), "y": [2.0, 7.5, 9.0]})
OBJECTIVE = RegressionAware(refinement_weight=0.8, likelihood_weight=0.1, mass_weight=0.1)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


def trainer(folder: Path, model: Any, *, rollouts: Any, data: Any = DATA, **options: Any) -> Any:
    callbacks = options.pop("callbacks", ())
    named = {"per_device_train_batch_size": 4, "num_generations": 2, "max_completion_length": 8}
    return RealTrainer(
        model,
        args=toy.config(folder, **named | options),
        objective=OBJECTIVE,
        train_dataset=data,
        processing_class=tokenizer_of(model),
        rollout_func=rollouts,
        callbacks=callbacks,
    )


def tokenizer_of(model: Any) -> Any:
    return model.body.judge.tokenizer if isinstance(model, SoftTokenPolicy) else model.tokenizer


def batch(real: RealTrainer, prompts: list[str]) -> dict[str, Any]:
    real.model.train()
    real.current_gradient_accumulation_steps = 1
    y = dict(zip(DATA["prompt"], DATA["y"], strict=True))
    return real._generate_and_score_completions([{"prompt": p, "y": y[p]} for p in prompts])


def gradients(real: RealTrainer, made: dict[str, Any]) -> dict[str, torch.Tensor]:
    real.model.zero_grad()
    real._compute_loss(real.model, made).backward()
    return {n: p.grad for n, p in real.model.named_parameters() if p.grad is not None}


def test_media_and_text_paths_have_the_same_logits_loss_and_gradients(tmp_path, backbone) -> None:
    """The text judge has the soft tokens of all items as further words of its vocabulary."""
    media = policy(backbone)
    judge = media.body.judge
    soft = [tokens.embeddings_ND.detach() for tokens in judge.projector(list(MEDIA.values()))]
    text = copy.deepcopy(judge.backbone)
    text.tokenizer = judge.tokenizer
    words = text.get_input_embeddings().weight.detach()
    extended = torch.nn.Embedding.from_pretrained(torch.cat([words, *soft]), freeze=False)
    text.get_base_model().set_input_embeddings(extended)
    starts = list(itertools.accumulate((len(s) for s in soft), initial=len(words)))

    drawn: list[dict[str, Any]] = []
    writer = SoftTokenRollouts(media, TRUTH)

    def write_media(prompts: list[str], real: RealTrainer) -> dict[str, Any]:
        torch.manual_seed(4)
        made = writer(prompts, real)
        # The text path reads each token as it was written, so here no rationale is stopped.
        cue = judge.writer.score_cue
        for ids, index in zip(made["completion_ids"], made["score_index"], strict=True):
            if index is not None:
                ids[index - len(cue)] = cue[0]
        drawn.append(made)
        return made

    def write_text(prompts: list[str], real: RealTrainer) -> dict[str, Any]:
        made = {k: v for k, v in drawn[-1].items() if k != "media_row"}
        made["prompt_ids"] = []
        for row in drawn[-1]["media_row"]:
            prompt = media.body.prompt(row)
            places = range(starts[row], starts[row + 1])
            made["prompt_ids"].append([*prompt.prefix, *places, *prompt.item, *prompt.full_cue])
        return made

    ours = trainer(tmp_path / "media", media, rollouts=write_media)
    theirs = trainer(tmp_path / "text", text, rollouts=write_text)
    prompts = [key for key in MEDIA for _ in range(4)]
    mine, other = batch(ours, prompts), batch(theirs, prompts)
    assert (mine["score_index"] >= 0).sum() > 3
    torch.testing.assert_close(mine["advantages"], other["advantages"])

    ids = torch.cat([other["prompt_ids"], other["completion_ids"]], 1)
    shown = torch.cat([mine["prompt_ids"], mine["completion_ids"]], 1)
    mask = torch.cat([mine["prompt_mask"], mine["completion_mask"]], 1)
    with torch.no_grad():
        by_text = text(input_ids=ids, attention_mask=mask).logits
        by_media = media(shown, mask, mine["pixel_values"]).logits
    # What ends a text behind its score is read as a cue, which nothing looks at any more.
    end_B = mine["prompt_ids"].shape[1] + mine["score_index"]
    is_scored_B = mine["score_index"] >= 0
    place_T = torch.arange(ids.shape[1])
    is_read = (mask > 0) & ((place_T < end_B[:, None]) | ~is_scored_B[:, None])
    assert is_read.sum() > 0.9 * mask.sum()
    torch.testing.assert_close(by_media[is_read], by_text[is_read], rtol=1e-4, atol=1e-4)

    media_gradients, text_gradients = gradients(ours, mine), gradients(theirs, other)
    adapters = [name for name in text_gradients if "lora_" in name]
    assert len(adapters) >= 8
    for name in adapters:
        found, expected = media_gradients[f"body.judge.backbone.{name}"], text_gradients[name]
        assert (found - expected).norm() < 1e-5 * expected.norm() + 1e-9, name
    projected = [g for name, g in media_gradients.items() if ".projector." in name]
    assert len(projected) > 10
    assert all(g.abs().max() > 0 for g in projected[:3])


def test_media_survive_shuffling_and_splitting(tmp_path, backbone) -> None:
    """One step on a batch moves the weights as one on its rows does, shuffled or recomputed."""
    moved = []
    for size, parts, is_recomputed in ((4, 1, False), (1, 4, False), (2, 2, True)):
        model = policy(backbone)
        before = model.body.judge.trainable_state()
        before = {name: value.clone() for name, value in before.items()}
        trainer(
            tmp_path / str(size),
            model,
            rollouts=SoftTokenRollouts(model, TRUTH),
            per_device_train_batch_size=size,
            gradient_accumulation_steps=parts,
            activation_checkpointing=is_recomputed,
            optim="sgd",
            learning_rate=1.0,
        ).train()
        after = model.body.judge.trainable_state()
        moved.append({name: after[name] - value for name, value in before.items()})
    for name, whole in moved[0].items():
        for parts in moved[1:]:
            assert (whole - parts[name]).norm() <= 1e-4 * whole.norm() + 1e-6, name
    assert sum(step.norm() for step in moved[0].values()) > 0.1


class Killed(Exception):
    """What the process dies of."""


class KillAt(TrainerCallback):
    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 3:
            raise Killed


def test_a_killed_run_of_the_media_judge_resumes_exactly(tmp_path, backbone) -> None:
    def run(name: str, *callbacks: Any) -> RealTrainer:
        model = policy(backbone)
        return trainer(
            tmp_path / name,
            model,
            rollouts=SoftTokenRollouts(model, TRUTH),
            callbacks=[JsonLog(tmp_path / name / "log.jsonl"), *callbacks],
            max_steps=5,
            save_strategy="steps",
            save_steps=2,
            learning_rate=0.01,
        )

    whole = run("whole")
    whole.train()
    with pytest.raises(Killed):
        run("cut", KillAt()).train()
    resumed = run("cut")
    resumed.train(resume_from_checkpoint=True)
    assert log(tmp_path / "whole/log.jsonl") == log(tmp_path / "cut/log.jsonl")
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    kept = load_file(tmp_path / "whole/checkpoint-4/model.safetensors")
    assert {name.removeprefix("body.judge.") for name in kept} == set(
        whole.model.body.judge.trainable_state()
    )


def log(path: Path) -> list[dict[str, Any]]:
    """Without the summary at the end and what measures time."""
    lines = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    return [{k: v for k, v in line.items() if k != "step_time"} for line in lines]


def test_features_that_are_no_numbers_are_refused(backbone) -> None:
    broken = features(1.0, seed=4)
    broken.sequences[0].layers["early"][0, 0] = np.nan
    with pytest.raises(ConfigurationError, match=r"early of item bad\.mp4 holds NaN"):
        policy(backbone, {**MEDIA, "bad.mp4": broken})
