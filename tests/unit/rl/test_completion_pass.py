"""The loss's pass over shared prompts against one over whole rows."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM
from trl import GRPOTrainer

from rl.rollout_objective import RegressionAware
from rl.trainer import RealTrainer
from tests.unit.rl import toy_judge as toy

PROMPTS = ["ab1", "abab2", "ababab3"]
COMPLETIONS = ["a=7", "bbab=2", "a", "=4", "b=", "abba=9", "a=7"]
# Three of the first prompt, one of the second, three of the third, in no order.
ROWS = [(2, 0), (0, 1), (2, 2), (1, 3), (0, 4), (0, 5), (2, 6)]


def windowed_lm() -> MistralForCausalLM:
    """Each token sees the two before it and itself."""
    torch.manual_seed(0)
    settings = toy.causal_lm().config.to_dict()
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers")
    heads = ("num_attention_heads", "num_key_value_heads", "initializer_range", "pad_token_id")
    kept = {name: settings[name] for name in (*names, *heads)}
    return MistralForCausalLM(MistralConfig(**kept, sliding_window=3)).double()


def inputs() -> tuple[torch.Tensor, torch.Tensor, int]:
    encode = toy.tokenizer().encode
    prompts = [torch.tensor(encode(PROMPTS[n])) for n, _ in ROWS]
    written = [torch.tensor(encode(COMPLETIONS[n])) for _, n in ROWS]
    pad = torch.nn.utils.rnn.pad_sequence
    sides = [
        pad(prompts, batch_first=True, padding_side="left"),
        pad(written, batch_first=True),
    ]
    ids = torch.cat(sides, 1)
    masks = [
        pad([torch.ones_like(p) for p in prompts], batch_first=True, padding_side="left"),
        pad([torch.ones_like(w) for w in written], batch_first=True),
    ]
    return ids, torch.cat(masks, 1), sides[1].shape[1]


@pytest.mark.parametrize(
    ("build", "is_recomputed", "is_shared"),
    [
        (lambda: toy.causal_lm(dtype=torch.float64), False, True),
        (lambda: toy.causal_lm(dtype=torch.float64), True, False),
        (windowed_lm, False, False),
    ],
    ids=["shared", "recomputed", "windowed"],
)
def test_log_probabilities_and_gradients_are_those_of_whole_rows(
    tmp_path: Path, build: Any, is_recomputed: bool, is_shared: bool
) -> None:
    real = RealTrainer(
        build(),
        args=toy.config(tmp_path, activation_checkpointing=is_recomputed),
        objective=RegressionAware(refinement_weight=1.0, likelihood_weight=0.1),
        train_dataset=toy.rows(),
        processing_class=toy.tokenizer(),
        score_cue=toy.CUE,
    )
    if is_recomputed:
        real.model.activation_checkpointing_enable()
    real.model.train()
    ids, mask, tokens = inputs()
    seen = []
    layer = real.model.model.layers[0]
    counter = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[:2]))
    found, entropy, _ = real._get_per_token_logps_and_entropies(
        real.model, ids, mask, tokens, compute_entropy=True
    )
    counter.remove()
    prompt_tokens = ids.shape[1] - tokens
    expected_shapes = [(3, prompt_tokens), (7, tokens)] if is_shared else [tuple(ids.shape)]
    assert [tuple(shape) for shape in seen] == expected_shapes
    weights = torch.randn(found.shape, dtype=found.dtype)
    gradients = torch.autograd.grad((found * weights).sum(), list(real.model.parameters()))

    whole, whole_entropy, _ = GRPOTrainer._get_per_token_logps_and_entropies(
        real, real.model, ids, mask, tokens, compute_entropy=True
    )
    torch.testing.assert_close(found, whole, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(entropy, whole_entropy, rtol=1e-6, atol=1e-6)
    assert (found == 0).sum() == (mask[:, -tokens:] == 0).sum() > 0
    expected = torch.autograd.grad((whole * weights).sum(), list(real.model.parameters()))
    for mine, other in zip(gradients, expected, strict=True):
        assert other.norm() > 0
        assert (mine - other).norm() < 1e-5 * other.norm()
