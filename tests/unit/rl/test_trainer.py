"""RealTrainer against the estimator written out, against TRL, and against itself resumed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from trl import GRPOTrainer

from moderation.judge.backbone_weights import quiet_peft
from rl.objective import regression_reward, soft_labels
from rl.rollout_objective import RegressionAware, SampledScore, exact_match
from rl.trainer import RealTrainer
from tests.unit.rl import toy_judge as toy

REAL = RegressionAware(refinement_weight=0.7, likelihood_weight=0.2)


def trainer(folder: Path, *, objective: Any = REAL, **changes: Any) -> RealTrainer:
    options = {"model": toy.causal_lm(), "train_dataset": toy.rows()} | {
        k: changes.pop(k)
        for k in ("model", "train_dataset", "eval_dataset", "callbacks", "rollout_func")
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


def test_without_refinement_a_zero_one_reward_is_trl_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # TRL's own trainer would report to its makers.
    monkeypatch.setenv("CI", "1")
    # Plain descent, under which equal gradients are equal steps, up to rounding.
    options = {"max_steps": 6, "gradient_accumulation_steps": 1, "optim": "sgd"}
    options |= {"num_generations": 16, "per_device_train_batch_size": 32}
    data = toy.rows(12)
    theirs = GRPOTrainer(
        toy.causal_lm(dtype=torch.float64),
        reward_funcs=ExactMatch(),
        args=toy.config(tmp_path / "trl", **options),
        train_dataset=data,
        processing_class=toy.tokenizer(),
    )
    with quiet_peft():
        theirs.train()
    objective = SampledScore(reward=exact_match, worst_reward=0.0)
    model = toy.causal_lm(dtype=torch.float64)
    ours = trainer(
        tmp_path / "real", model=model, objective=objective, train_dataset=data, **options
    )
    ours.train()
    keys = ("loss", "grad_norm", "reward", "entropy", "completions/mean_length")
    for key in keys:
        assert column(ours, key) == pytest.approx(column(theirs, key), rel=1e-5, abs=1e-7), key
    assert sum(norm > 0 for norm in column(ours, "grad_norm")) >= 2
    assert len(column(ours, "loss")) == 6
    begin = toy.causal_lm(dtype=torch.float64).parameters()
    for old, mine, other in zip(
        begin, ours.model.parameters(), theirs.model.parameters(), strict=True
    ):
        assert (mine - other).norm() < 1e-5 * (other - old).norm()


def column(trained: Any, key: str) -> list[float]:
    return [line[key] for line in trained.state.log_history if key in line]


def test_the_estimator_s_mean_is_the_gradient_of_the_expected_reward(tmp_path: Path) -> None:
    """All pairs of completions of a judge that writes only a, the cue and the stop."""
    model = toy.three_token_lm()
    plain = RegressionAware(
        refinement_weight=1.0,
        likelihood_weight=0.3,
        # The spread's floor is out of reach, so that the advantage is the leave-one-out one.
        std_floor=1e6,
        exploration_weight=1e6,
        advantage_max=1.0,
    )
    completions = toy.completions_of_four_tokens()
    data = toy.rows(3).select([2])
    y, prompt = torch.tensor(data["y"]).double(), toy.tokenizer().encode(data["prompt"][0])

    def score_logits(ids: list[int], index: int) -> torch.Tensor:
        return model(input_ids=torch.tensor([prompt + ids[:index]])).logits[0, -1]

    def expected_reward() -> tuple[torch.Tensor, torch.Tensor]:
        probabilities, rewards = [], []
        for ids, index in completions:
            written = ids if index is None else ids[:index]
            logits = model(input_ids=torch.tensor([prompt + written])).logits[0]
            log_policy = logits[len(prompt) - 1 : -1].log_softmax(-1)
            probabilities.append(log_policy.gather(1, torch.tensor([written]).T).sum().exp())
            if index is None:
                rewards.append(torch.tensor(-81.0).double())
                continue
            log_p = logits[-1, list(toy.DIGITS)].log_softmax(-1)[None]
            rewards.append(regression_reward(log_p, y, soft_labels(y), likelihood_weight=0.3)[0])
        return torch.stack(probabilities), torch.stack(rewards)

    pairs = [(i, j) for i in range(len(completions)) for j in range(i + 1)]
    left = iter(pairs)

    def write(prompts: list[Any], _: RealTrainer) -> dict[str, Any]:
        chosen = [completions[k] for k in next(left)]
        with torch.no_grad():
            logits = [None if at is None else score_logits(ids, at) for ids, at in chosen]
        return {
            "prompt_ids": [prompt for _ in prompts],
            "completion_ids": [ids for ids, _ in chosen],
            "logprobs": None,
            "score_index": [at for _, at in chosen],
            "score_logits": logits,
        }

    real = trainer(
        tmp_path,
        objective=plain,
        model=model,
        train_dataset=data,
        rollout_func=write,
        per_device_train_batch_size=2,
        num_generations=2,
        max_completion_length=4,
    )
    weights = [p for p in model.parameters() if p.requires_grad]
    probability, reward = expected_reward()
    assert probability.sum().item() == pytest.approx(1, abs=1e-12)
    assert 0.05 < probability[[at is not None for _, at in completions]].sum() < 0.95
    exact = torch.autograd.grad((probability * reward).sum(), weights)
    mean = [torch.zeros_like(weight) for weight in weights]
    for i, j in pairs:
        made = batch(real, prompts=1)
        gradient = torch.autograd.grad(real._compute_loss(model, made), weights)
        chance = (probability[i] * probability[j]).item() * (1 if i == j else 2)
        for total, part in zip(mean, gradient, strict=True):
            total -= 4 * chance * part
    for total, gradient in zip(mean, exact, strict=True):
        assert (total - gradient).norm() < 2e-6 * gradient.norm()

    # Some of the model's steps are in float32, which bounds how small a step can be.
    step, slope = 1e-3, 0.0
    directions = [torch.randn_like(weight) for weight in weights]
    for moved, sign in ((step, 1), (-2 * step, -1), (step, 0)):
        with torch.no_grad():
            for weight, direction in zip(weights, directions, strict=True):
                weight += moved * direction
            slope += sign * torch.dot(*expected_reward()).item() / (2 * step)
    along = sum((m * d).sum().item() for m, d in zip(mean, directions, strict=True))
    assert along == pytest.approx(slope, rel=1e-3)
