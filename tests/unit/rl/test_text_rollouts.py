"""Rollouts that share their prompt's keys and values, against transformers and the trainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from rl.rollout_objective import RegressionAware
from rl.sampling import sample
from rl.text_rollouts import TextRollouts
from rl.trainer import RealTrainer
from tests.unit.rl import toy_judge as toy

OBJECTIVE = RegressionAware(refinement_weight=0.5, likelihood_weight=0.1)
PROMPTS = ["ab1", "abab2", "ababab3"]


def trainer(folder: Path, rollouts: TextRollouts | None, **options: Any) -> RealTrainer:
    return RealTrainer(
        toy.causal_lm(seed=options.pop("model_seed", 0)),
        args=toy.config(folder, **options),
        objective=OBJECTIVE,
        train_dataset=toy.rows(),
        processing_class=toy.tokenizer(),
        score_cue=toy.CUE,
        rollout_func=rollouts,
    )


def greedy(_rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
    return logits_BV.argmax(-1).tolist()


def test_greedy_rollouts_equal_generate(tmp_path: Path) -> None:
    """Groups of unlike size and prompts of unlike length, rows that end early among them."""
    lengths = set()
    for seed in range(6):
        rollouts = TextRollouts(toy.tokenizer(), score_cue=toy.CUE, choose=greedy)
        real = trainer(tmp_path, rollouts, model_seed=seed)
        prompts = [PROMPTS[k] for k in (0, 1, 1, 2, 0, 1)]
        made = rollouts(prompts, real)
        for prompt, found in zip(prompts, made["completion_ids"], strict=True):
            ids = torch.tensor([toy.tokenizer().encode(prompt)])
            mask = torch.ones_like(ids)
            whole = real.model.generate(
                ids, attention_mask=mask, max_new_tokens=12, do_sample=False
            )
            assert found == whole[0, ids.shape[1] :].tolist()
            lengths.add(len(found))
    assert len(lengths) > 2
    assert max(lengths) == 12


def test_logits_of_generation_are_those_of_the_training_pass(tmp_path: Path) -> None:
    """Log-probabilities of what was drawn, and the logits behind the cue."""
    drawn: dict[int, list[float]] = {row: [] for row in range(12)}

    def recorded(rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
        chosen = sample(rows, logits_BV)
        log_p_BV = logits_BV.log_softmax(-1)
        for row, token, log_p_V in zip(rows, chosen, log_p_BV, strict=True):
            drawn[row].append(float(log_p_V[token]))
        return chosen

    rollouts = TextRollouts(toy.tokenizer(), score_cue=toy.CUE, choose=recorded)
    real = trainer(tmp_path, rollouts)
    real.model.train()
    inputs = [{"prompt": p, "y": 3.0} for p in PROMPTS for _ in range(4)]
    torch.manual_seed(4)
    made = real._generate_and_score_completions(inputs)
    assert real.model.training
    ids = torch.cat([made["prompt_ids"], made["completion_ids"]], 1)
    mask = torch.cat([made["prompt_mask"], made["completion_mask"]], 1)
    log_p_BT, _, _ = real._get_per_token_logps_and_entropies(
        real.model, ids, mask, made["completion_ids"].shape[1]
    )
    lengths = made["completion_mask"].sum(1).tolist()
    assert len(set(lengths)) > 2
    for row, length in enumerate(lengths):
        found = torch.tensor(drawn[row])
        torch.testing.assert_close(log_p_BT[row, :length], found, rtol=1e-4, atol=1e-5)
    again = rollouts([row["prompt"] for row in inputs], real)
    scored = [n for n, place in enumerate(again["score_index"]) if place is not None]
    assert 0 < len(scored) < 12
    for n in scored:
        before = [*again["prompt_ids"][n], *again["completion_ids"][n][: again["score_index"][n]]]
        assert before[-1] == toy.EQUALS
        expected = real.model(torch.tensor([before])).logits[0, -1]
        torch.testing.assert_close(again["score_logits"][n], expected, rtol=1e-4, atol=1e-5)


def test_rollouts_repeat_with_torch_s_seed(tmp_path: Path) -> None:
    rollouts = TextRollouts(toy.tokenizer(), score_cue=toy.CUE)
    real = trainer(tmp_path, rollouts)
    prompts = [p for p in PROMPTS for _ in range(4)]
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(rollouts(prompts, real)["completion_ids"])
    assert made[0] == made[1]
    assert made[0] != made[2]
    assert len({tuple(ids) for ids in made[0][:4]}) > 1


def test_a_run_learns_from_such_rollouts(tmp_path: Path) -> None:
    rollouts = TextRollouts(toy.tokenizer(), score_cue=toy.CUE)
    real = trainer(tmp_path, rollouts, max_steps=2)
    before = [p.detach().clone() for p in real.model.parameters()]
    real.train()
    line = real.state.log_history[0]
    assert 0 < line["real/scored_share"] < 1
    moved = zip(before, real.model.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in moved)
