"""The estimate against what real small models hold, counted by storage."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, DynamicCache, LlamaConfig, Qwen2Config

from moderation.judge.backbone_weights import quiet_peft
from rl.memory.estimate import Workload, standing_bytes, step_bytes
from rl.memory.shape import ParameterCounts, TransformerShape

ROWS, TOKENS = 3, 80
# What the estimate may be off by: masks and rotations, which do not grow with the width.
FACTOR = 1.15


def config(kind: type[Any], **changes: Any) -> Any:
    sizes = {
        "vocab_size": 64,
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
    }
    return kind(**sizes | changes)


def kept_bytes(model: Any, width: int, dtype: torch.dtype) -> int:
    """Storage that the forward pass keeps for the backward pass, weights aside."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        embeddings = torch.randn(ROWS, TOKENS, width, dtype=dtype)
        model.get_base_model().base_model(inputs_embeds=embeddings, use_cache=False)
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    return sum(size for place, size in storages.items() if place not in weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "shape",
    [config(LlamaConfig), config(Qwen2Config, num_key_value_heads=8, num_hidden_layers=5)],
    ids=["llama", "qwen2"],
)
def test_activations_are_those_that_a_forward_pass_keeps(shape: Any, dtype: torch.dtype) -> None:
    with quiet_peft():
        model = AutoModelForCausalLM.from_config(shape, dtype=dtype).requires_grad_(False)
        adapter = LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, adapter).train()
    work = Workload(rows=ROWS, tokens=TOKENS, logit_tokens=0)
    estimated = step_bytes(TransformerShape.of(shape), work, value_bytes=dtype.itemsize)
    measured = kept_bytes(model, shape.hidden_size, dtype)
    assert measured / FACTOR < estimated.activations < measured * FACTOR


def test_recomputing_keeps_a_layer_s_input_and_one_layer() -> None:
    shape = TransformerShape.of(config(LlamaConfig, num_hidden_layers=10))
    kept, recomputed = (
        step_bytes(shape, Workload(rows=1, tokens=1, logit_tokens=0, recomputes=flag)).activations
        for flag in (False, True)
    )
    last_norm = 4 * 256
    layer = (kept - last_norm) / 10
    assert recomputed == last_norm + layer + 10 * 2 * 256


def test_the_cache_is_as_large_as_transformers_makes_it() -> None:
    shape = config(LlamaConfig)
    model = AutoModelForCausalLM.from_config(shape, dtype=torch.bfloat16)
    cache = DynamicCache()
    with torch.inference_mode():
        model(torch.zeros(ROWS, TOKENS, dtype=torch.long), cache=cache)
    held = sum(t.nbytes for layer in cache.layers for t in (layer.keys, layer.values))
    work = Workload(rows=0, tokens=TOKENS, logit_tokens=0, generated_rows=ROWS)
    assert step_bytes(TransformerShape.of(shape), work).key_value_cache == held


def test_what_stands_is_what_an_optimiser_of_such_weights_holds() -> None:
    standing = standing_bytes(ParameterCounts(frozen=1000, adapter=30, projectors=10))
    weights = torch.nn.Parameter(torch.zeros(40))
    weights.grad = torch.ones(40)
    optimiser = torch.optim.AdamW([weights])
    optimiser.step()
    moments = [v for v in optimiser.state[weights].values() if v.numel() == 40]
    assert standing.optimiser == sum(moment.nbytes for moment in moments)
    assert standing.gradients == weights.grad.nbytes
    assert standing.frozen_weights == torch.zeros(1000, dtype=torch.bfloat16).nbytes
    assert standing.total == 2000 + 40 * 4 * 6


def test_logits_and_generation_decide_the_peak() -> None:
    shape = TransformerShape.of(config(LlamaConfig))
    small = step_bytes(shape, Workload(rows=1, tokens=8, logit_tokens=2))
    assert small.logits == 2 * 64 * (2 + 4 + 4 + 4)
    assert small.peak == small.activations + small.logits
    wide = step_bytes(shape, Workload(rows=1, tokens=8, logit_tokens=2, generated_rows=500))
    assert wide.peak == wide.key_value_cache > small.peak
