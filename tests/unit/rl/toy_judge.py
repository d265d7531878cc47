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


def three_token_lm() -> LlamaForCausalLM:
    """One layer, float64; all but a, the cue and the stop have a chance of about 1e-17."""
    torch.manual_seed(5)
    settings = causal_lm().config
    settings.num_hidden_layers = 1
    model = LlamaForCausalLM(settings).double()
    head = torch.nn.Linear(settings.hidden_size, len(WORDS), bias=True).double()
    head.weight = model.lm_head.weight
    bias = torch.full((len(WORDS),), -40.0).double()
    bias[[EOS, EQUALS, A]] = 0.0
    head.bias = torch.nn.Parameter(bias, requires_grad=False)
    model.lm_head = head
    return model


def completions_of_four_tokens() -> list[tuple[list[int], int | None]]:
    """What such a model may write within four tokens, with the place of the score token."""
    found: list[tuple[list[int], int | None]] = []
    open_ones: list[list[int]] = [[]]
    for length in (1, 2, 3, 4):
        longer = [[*ids, token] for ids in open_ones for token in (EOS, EQUALS, A)]
        open_ones = []
        for ids in longer:
            if ids[-1] == EQUALS and length < 4:
                # Nobody credits the score token, so any digit will do.
                found.append(([*ids, DIGITS[4]], length))
            elif ids[-1] == EOS or length == 4:
                found.append((ids, None))
            else:
                open_ones.append(ids)
    return found
