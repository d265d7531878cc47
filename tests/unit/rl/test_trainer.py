"""RealTrainer against the estimator written out, against TRL, and against itself resumed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from trl import GRPOTrainer

from moderation.judge.language_model import quiet_peft
from rl.objective import regression_reward, soft_labels
from rl.rollout_objective import RegressionAware, SampledScore, exact_match
from rl.trainer import RealTrainer
from tests.unit.rl import toy_judge as toy

REAL = RegressionAware(refinement_weight=0.7, likelihood_weight=0.2)


def trainer(folder: Path, *, objective: Any = REAL, **changes: Any) -> RealTrainer:
    options = {"model": toy.causal_lm(), "train_dataset": toy.rows()} | {
        k: changes.pop(k)
        for k in ("model", "train_dataset", "eval_dataset", "callbacks")
        if k in changes
    }
    return RealTrainer(
        options.pop("model"),
        args=toy.config(folder, **changes),
        objective=objective,
        processing_class=toy.tokenizer(),
        score_cue=toy.CUE,
        **options,
    )


def batch(real: RealTrainer, *, prompts: int = 2) -> dict[str, Any]:
    """One scored batch as the trainer's own loop makes it."""
    real.model.train()
    real.current_gradient_accumulation_steps = 1
    chosen = [real.train_dataset[n] for n in range(prompts) for _ in range(real.num_generations)]
    return real._generate_and_score_completions(chosen)


def test_loss_equals_the_two_term_estimator_recomputed_from_full_logits(tmp_path: Path) -> None:
    real = trainer(tmp_path, model=toy.causal_lm(dtype=torch.float64))
    made = batch(real)
    scored = made["score_index"] >= 0
    assert scored.any()
    assert not scored.all()
    real.model.zero_grad()
    loss = real._compute_loss(real.model, made)
    loss.backward()
    found = {n: p.grad.clone() for n, p in real.model.named_parameters()}

    real.model.zero_grad()
    ids = torch.cat([made["prompt_ids"], made["completion_ids"]], 1)
    mask = torch.cat([made["prompt_mask"], made["completion_mask"]], 1)
    logits = real.model(input_ids=ids, attention_mask=mask).logits
    start = made["prompt_ids"].shape[1]
    rewards, log_policies = [], []
    for row, index in enumerate(made["score_index"].tolist()):
        end = index if index >= 0 else int(made["completion_mask"][row].sum())
        log_probabilities = logits[row, start - 1 : start - 1 + end].log_softmax(-1)
        tokens = made["completion_ids"][row, :end]
        log_policies.append(log_probabilities.gather(1, tokens[:, None]).sum())
        if index < 0:
            rewards.append(torch.tensor(-81.0, dtype=torch.float64))
            continue
        log_p = logits[row, start - 1 + index, list(toy.DIGITS)].log_softmax(-1)[None]
        y = made["y"][row : row + 1].double()
        rewards.append(regression_reward(log_p, y, soft_labels(y), likelihood_weight=0.2)[0])
    reward = torch.stack(rewards)
    groups = reward.detach().view(-1, 4)
    others = (groups.sum(1, keepdim=True) - groups) / 3
    spread = groups.std(1, keepdim=True).clamp_min(0.1)
    advantage = ((groups - others) / spread).clamp(-1, 1).flatten()
    estimate = -(advantage * torch.stack(log_policies)).mean() - 0.7 * (reward * scored).mean()
    (estimate / 12).backward()
    for name, parameter in real.model.named_parameters():
        assert parameter.grad.norm() > 0
        assert (found[name] - parameter.grad).norm() < 1e-6 * parameter.grad.norm(), name


def test_advantages_end_before_the_score_token(tmp_path: Path) -> None:
    made = batch(trainer(tmp_path))
    for row, index in enumerate(made["score_index"].tolist()):
        ids, advantage = made["completion_ids"][row], made["advantages"][row]
        if index < 0:
            assert (advantage == advantage[0]).all()
            continue
        assert ids[index - 1] == toy.EQUALS
        assert toy.EQUALS not in ids[: index - 1]
        assert (advantage[index:] == 0).all()
        assert (advantage[:index] == advantage[0]).all()


class ExactMatch:
    """The 0/1 reward as a user of TRL would write it: from the tokens that follow the cue."""

    __name__ = "exact_match"

    def __call__(self, completion_ids: list[list[int]], y: list[float], **_: Any) -> list[float]:
        return [
            float(self._digit(ids) == round(k)) for ids, k in zip(completion_ids, y, strict=True)
        ]

    def _digit(self, ids: list[int]) -> int | None:
        if toy.EQUALS not in ids[:-1]:
            return None
        behind = ids[ids.index(toy.EQUALS) + 1]
        return behind - toy.DIGITS[0] if behind in toy.DIGITS else None


def test_without_refinement_a_zero_one_reward_is_trl_itself(tmp_path: Path) -> None:
    options = {"max_steps": 4, "num_train_epochs": 1, "gradient_accumulation_steps": 1}
    data = toy.rows(12)
    theirs = GRPOTrainer(
        toy.causal_lm(),
        reward_funcs=ExactMatch(),
        args=toy.config(tmp_path / "trl", **options),
        train_dataset=data,
        processing_class=toy.tokenizer(),
    )
    with quiet_peft():
        theirs.train()
    objective = SampledScore(reward=exact_match, worst_reward=0.0)
    ours = trainer(tmp_path / "real", objective=objective, train_dataset=data, **options)
    ours.train()
    keys = ("loss", "grad_norm", "reward", "entropy", "completions/mean_length")
    for key in keys:
        assert column(ours, key) == column(theirs, key), key
    assert max(column(ours, "reward")) > 0
    assert len(column(ours, "loss")) == 4
    for mine, other in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
        assert torch.equal(mine, other)


def column(trained: Any, key: str) -> list[float]:
    return [line[key] for line in trained.state.log_history if key in line]
