"""A text judge over fourteen tokens, small enough to enumerate what it may write."""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig

CUE = "="
WORDS = ["<pad>", "</s>", CUE, "a", "b", *map(str, range(10))]
PAD, EOS, EQUALS, A, B = range(5)
DIGITS = range(5, 15)


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character; what it decodes has no spaces between tokens."""
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<pad>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    inner.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<pad>"
    )


def causal_lm(*, seed: int = 0, dtype: torch.dtype = torch.float32) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=EOS,
        pad_token_id=PAD,
    )
    return LlamaForCausalLM(config).to(dtype)


def rows(count: int = 6) -> Dataset:
    """Prompts of unlike lengths with graded labels."""
    prompts = ["ab" * (1 + k % 3) + str(k % 10) for k in range(count)]
    return Dataset.from_dict({"prompt": prompts, "y": [(1.3 * k) % 9.0 for k in range(count)]})


def config(folder: Path, **changes: Any) -> GRPOConfig:
    """Two prompts of four rollouts a step on one processor, no drop-out, no clipping."""
    options: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 8,
        "num_generations": 4,
        "max_completion_length": 12,
        "loss_type": "dr_grpo",
        "learning_rate": 0.05,
        "max_grad_norm": 1e9,
        "lr_scheduler_type": "constant",
        "max_steps": 1,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "activation_checkpointing": False,
        "bf16": False,
        "disable_dropout": True,
        "seed": 3,
    }
    return GRPOConfig(**options | changes)
