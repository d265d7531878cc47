"""Whole runs of RealTrainer on a toy judge: log, resumption, validation, adapters, refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import EarlyStoppingCallback, TrainerCallback

from moderation.errors import ConfigurationError, TokenizerError
from rl.json_log import JsonLog
from rl.rollout_objective import RegressionAware
from rl.trainer import RealTrainer
from tests.unit.judge.builders import digitless
from tests.unit.rl import toy_judge as toy

OBJECTIVE = RegressionAware(
    refinement_weight=0.5,
    likelihood_weight=0.1,
    crps_weight=0.2,
    wasserstein_weight=0.1,
    mass_weight=0.1,
)


def trainer(folder: Path, data: Dataset | None = None, **options: Any) -> RealTrainer:
    """options: those of the trainer that are named here, the rest the configuration's."""
    named = {"model": toy.causal_lm()} | {
        name: options.pop(name)
        for name in ("model", "eval_dataset", "callbacks", "peft_config")
        if name in options
    }
    return RealTrainer(
        named.pop("model"),
        args=toy.config(folder, **options),
        objective=OBJECTIVE,
        train_dataset=toy.rows() if data is None else data,
        processing_class=toy.tokenizer(),
        score_cue=toy.CUE,
        **named,
    )


def log(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    timed = ("step_time", "train_runtime", "train_samples_per_second", "train_steps_per_second")
    return [{k: v for k, v in line.items() if k not in timed} for line in lines]


class Killed(Exception):
    """What the process dies of."""


class KillAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self._step:
            raise Killed


@pytest.mark.parametrize("is_adapter", [False, True], ids=["whole", "lora"])
def test_a_killed_run_that_is_resumed_equals_an_uninterrupted_one(
    tmp_path: Path, is_adapter: bool
) -> None:
    """Killed in the fourth epoch, two steps after its last checkpoint."""

    def run(name: str, *callbacks: Any) -> RealTrainer:
        return trainer(
            tmp_path / name,
            callbacks=[JsonLog(tmp_path / name / "log.jsonl"), *callbacks],
            max_steps=14,
            save_strategy="steps",
            save_steps=4,
            gradient_accumulation_steps=2,
            per_device_train_batch_size=4,
            peft_config=LoraConfig(r=2, target_modules="all-linear") if is_adapter else None,
        )

    run("whole").train()
    with pytest.raises(Killed):
        run("cut", KillAt(10)).train()
    resumed = run("cut")
    resumed.train(resume_from_checkpoint=True)
    whole, cut = (log(tmp_path / name / "log.jsonl") for name in ("whole", "cut"))
    assert len(whole) == 15
    assert len({line["epoch"] for line in whole}) >= 14
    assert cut[:-1] == whole[:-1]


def test_the_log_has_what_training_is_watched_by(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    trainer(tmp_path, callbacks=[JsonLog(path)], max_steps=2).train()
    line = log(path)[0]
    shares = ("scored_share", "digit_mass", "usable_groups")
    for name in shares:
        assert 0 < line[f"real/{name}"] <= 1, name
    assert 0 < line["real/expected_score"] < 9
    assert 0 < line["real/digit_entropy"] <= 2.31
    assert 0 < line["real/wasserstein"] < 9
    assert 0 < line["real/advantage_spread"] <= 1
    assert 1 <= line["real/rationale_length"] < 12
    assert line["real/squared_error"] > 0
    assert line["reward"] < 0
    assert line["entropy"] > 0


def test_a_half_written_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 0, "loss": 1.0}\n{"step": 0, "lo')
    trainer(tmp_path, callbacks=[JsonLog(path)], max_steps=1).train()
    assert [line["step"] for line in log(path)][:2] == [0, 1]


def test_rollouts_without_a_score_get_the_worst_reward_and_no_refinement(tmp_path: Path) -> None:
    model = toy.three_token_lm()
    with torch.no_grad():
        model.lm_head.bias[toy.EQUALS] = -60.0
    real = trainer(tmp_path, model=model)
    real.model.train()
    real.current_gradient_accumulation_steps = 1
    made = real._generate_and_score_completions([real.train_dataset[0]] * 4)
    assert made["score_index"].tolist() == [-1] * 4
    assert real._metrics["train"]["reward"] == [-81.0]
    assert (made["advantages"] == 0).all()
    loss = real._compute_loss(real.model, made)
    loss.backward()
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in model.parameters())


def test_validation_reports_rank_correlation_and_stops_early(tmp_path: Path) -> None:
    real = trainer(
        tmp_path,
        eval_dataset=toy.rows(8),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
        max_steps=30,
        learning_rate=0.0,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=1,
        save_steps=1,
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_spearman",
        greater_is_better=True,
        per_device_eval_batch_size=8,
        num_generations_eval=2,
    )
    real.train()
    found = [line for line in real.state.log_history if "eval_spearman" in line]
    assert len(found) < 30
    assert len({line["eval_spearman"] for line in found}) > 1
    assert all(-1 <= line["eval_spearman"] <= 1 for line in found)
    assert all(0 < line["eval_scored_share"] <= 1 for line in found)
    assert real.state.best_metric == max(line["eval_spearman"] for line in found)


def test_raters_stand_for_the_label_s_distribution(tmp_path: Path) -> None:
    shares = [0.0] * 10
    shares[2] = shares[8] = 0.5
    data = Dataset.from_dict({"prompt": ["ab", "ba"], "y": [5.0, 5.0], "raters": [shares, None]})
    real = trainer(tmp_path, data)
    real.model.train()
    chosen = [data[0]] * 4 + [data[1]] * 4
    made = real._generate_and_score_completions(chosen)
    assert made["target"][0].tolist() == shares
    assert made["target"][4].argmax() == 5


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("loss_type", "grpo"),
        ("beta", 0.1),
        ("num_iterations", 2),
        ("top_p", 0.9),
        ("temperature", 0.7),
        ("entropy_coef", 0.1),
    ],
)
def test_options_that_change_the_estimator_are_refused(
    tmp_path: Path, option: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=option):
        trainer(tmp_path, **{option: value})


def test_rollouts_older_than_the_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="steps_per_generation = 2"):
        trainer(tmp_path, steps_per_generation=2)


@pytest.mark.parametrize("y", [9.5, -1.0, float("nan"), None])
def test_labels_off_the_scale_are_refused_with_their_row(tmp_path: Path, y: float | None) -> None:
    data = Dataset.from_dict({"prompt": ["a", "b"], "y": [3.0, y]})
    with pytest.raises(ConfigurationError, match="in row 1"):
        trainer(tmp_path, data)


def test_raters_that_are_no_distribution_are_refused(tmp_path: Path) -> None:
    data = Dataset.from_dict({"prompt": ["a"], "y": [3.0], "raters": [[0.2] * 10]})
    with pytest.raises(ConfigurationError, match="in row 0"):
        trainer(tmp_path, data)


def test_a_dataset_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="column y"):
        trainer(tmp_path, Dataset.from_dict({"prompt": ["a"]}))


def test_capped_logits_are_refused(tmp_path: Path) -> None:
    model = toy.causal_lm()
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ConfigurationError, match="final_logit_softcapping"):
        trainer(tmp_path, model=model)


def test_a_tokenizer_without_single_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="single digits"):
        RealTrainer(
            toy.causal_lm(),
            args=toy.config(tmp_path),
            objective=OBJECTIVE,
            train_dataset=toy.rows(),
            processing_class=digitless(),
        )
