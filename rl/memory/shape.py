"""The sizes of a language model, and how many parameters training freezes and learns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from moderation.errors import ConfigurationError
from moderation.judge.backbone_weights import quiet_peft
from moderation.judge.sequence_spec import SequenceSpec
from moderation.judge.soft_tokens import SoftTokenProjector


@dataclass(frozen=True, slots=True)
class TransformerShape:
    """query_D, key_value_D: width of all heads together. The rest as transformers names it."""

    layers: int
    hidden_D: int
    query_D: int
    key_value_D: int
    intermediate_D: int
    vocabulary: int

    @classmethod
    def of(cls, config: Any) -> "TransformerShape":
        """The shape of a decoder of the Llama family (Llama, Qwen, Mistral, SmolLM, ...)."""
        heads = config.num_attention_heads
        head_D = getattr(config, "head_dim", None) or config.hidden_size // heads
        return cls(
            layers=config.num_hidden_layers,
            hidden_D=config.hidden_size,
            query_D=heads * head_D,
            key_value_D=config.num_key_value_heads * head_D,
            intermediate_D=config.intermediate_size,
            vocabulary=config.vocab_size,
        )


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """frozen: the backbone's. adapter, projectors: what training learns."""

    frozen: int
    adapter: int
    projectors: int

    @property
    def trained(self) -> int:
        """All that has gradients."""
        return self.adapter + self.projectors


def read_architecture(path: Path, *, layers: int | None = None) -> Any:
    """A transformers configuration from a `config.json`; `layers` keeps only the first ones.

    Raises:
        ConfigurationError: no such file, or none that transformers knows.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        changes = {} if layers is None else {"num_hidden_layers": layers}
        return AutoConfig.for_model(**values | changes)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} describes no model ({type(error).__name__}: {error})",
            expected="a config.json with the model_type and sizes of a causal language model",
            remedy="Correct key 'architectures.backbone', or the file that it names.",
        ) from error


def count_parameters(
    config: Any, specs: Sequence[SequenceSpec], *, lora_rank: int, width: int
) -> ParameterCounts:
    """Parameters of a judge as `rl.judge_model` builds it; nothing is allocated."""
    with torch.device("meta"), quiet_peft():
        base = AutoModelForCausalLM.from_config(config)
        base.requires_grad_(False)
        adapter = LoraConfig(r=lora_rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(base, adapter)
        projectors = SoftTokenProjector(specs, width=width, lm_width=config.hidden_size)
    learnt = [parameter.requires_grad for parameter in model.parameters()]
    sizes = [parameter.numel() for parameter in model.parameters()]
    trained = sum(size for size, is_learnt in zip(sizes, learnt, strict=True) if is_learnt)
    return ParameterCounts(
        frozen=sum(sizes) - trained,
        adapter=trained,
        projectors=sum(parameter.numel() for parameter in projectors.parameters()),
    )
