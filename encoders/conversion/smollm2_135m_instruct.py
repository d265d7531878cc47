"""SmolLM2-135M-Instruct from GGUF (Q4_1) to a folder that `from_pretrained` loads.

The dequantised values need fp32: `scale x q + minimum` of two fp16 numbers fits neither fp16 nor
bf16. GGUF stores the query and key rows of each head interleaved (llama.cpp,
convert_hf_to_gguf.py, `permute`); they are put back here. The tokenizer is written from the GGUF's
own vocabulary and merges with the pre-tokenizer that llama.cpp calls "smollm": digits one by one,
then byte-level pieces.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.conversion.tensors import write_json, write_tensors
from encoders.errors import WeightsError

_CONTROL_TOKEN = 3
_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TOP_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
}


def convert(raw: Path, destination: Path) -> None:
    """Read the GGUF file `raw`, write model, configuration and tokenizer into `destination`.

    Raises:
        WeightsError: another architecture or tokenizer than the one described above.
    """
    import gguf

    reader = gguf.GGUFReader(raw)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    kind = tuple(
        fields.get(key)
        for key in ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre")
    )
    if kind != ("llama", "gpt2", "smollm"):
        raise WeightsError(
            f"{raw.name} is {kind}",
            expected="a llama model with the gpt2/smollm tokenizer",
            remedy="Pull the artefact again.",
        )
    heads = int(fields["llama.attention.head_count"])
    heads_key = int(fields["llama.attention.head_count_kv"])
    tensors: dict[str, npt.NDArray[Any]] = {}
    for tensor in reader.tensors:
        values = np.asarray(gguf.quants.dequantize(tensor.data, tensor.tensor_type), np.float32)
        if tensor.name.endswith("attn_q.weight"):
            values = deinterleave(values, heads)
        elif tensor.name.endswith("attn_k.weight"):
            values = deinterleave(values, heads_key)
        tensors[_name(tensor.name)] = values
    write_tensors(destination / "model.safetensors", tensors)
    write_json(destination / "config.json", _configuration(fields))
    write_json(destination / "generation_config.json", _generation(fields))
    write_json(destination / "tokenizer.json", _tokenizer(fields))
    write_json(destination / "tokenizer_config.json", _tokenizer_configuration(fields))


def deinterleave(rows: npt.NDArray[Any], heads: int) -> npt.NDArray[Any]:
    """Undo llama.cpp's row order of a rotary projection: (heads x D_head, D_in) in and out."""
    width = rows.shape[0] // heads
    return rows.reshape(heads, width // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def _name(name: str) -> str:
    if name in _TOP_NAMES:
        return _TOP_NAMES[name]
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    if match is None or match[2] not in _NAMES:
        raise WeightsError(
            f"tensor {name!r} is not known",
            expected="the tensors of a llama model with tied embeddings",
            remedy="Pull the artefact again.",
        )
    return f"model.layers.{match[1]}.{_NAMES[match[2]]}.weight"


def _configuration(fields: dict[str, Any]) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "dtype": "float32",
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "head_dim": fields["llama.rope.dimension_count"],
        "hidden_act": "silu",
        "hidden_size": fields["llama.embedding_length"],
        "initializer_range": 0.041666666666666664,
        "intermediate_size": fields["llama.feed_forward_length"],
        "max_position_embeddings": fields["llama.context_length"],
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": fields["llama.attention.head_count"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_key_value_heads": fields["llama.attention.head_count_kv"],
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"],
        # GGUF keeps this as float32 (9.99999974e-06); the model was trained with 1e-5.
        "rms_norm_eps": float(f"{fields['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_parameters": {
            "rope_theta": fields["llama.rope.freq_base"],
            "rope_type": "default",
        },
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": fields["llama.vocab_size"],
    }


def _generation(fields: dict[str, Any]) -> dict[str, object]:
    return {
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"],
    }


def _control_tokens(fields: dict[str, Any]) -> list[tuple[int, str]]:
    kinds = zip(fields["tokenizer.ggml.token_type"], fields["tokenizer.ggml.tokens"], strict=True)
    return [(index, text) for index, (kind, text) in enumerate(kinds) if kind == _CONTROL_TOKEN]


def _tokenizer(fields: dict[str, Any]) -> dict[str, object]:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": text, "special": True, **flags}
            for index, text in _control_tokens(fields)
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {"add_prefix_space": False, **byte_level},
            ],
        },
        "post_processor": None,
        "decoder": {"add_prefix_space": True, **byte_level},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {text: i for i, text in enumerate(fields["tokenizer.ggml.tokens"])},
            "merges": [merge.split(" ") for merge in fields["tokenizer.ggml.merges"]],
        },
    }


def _tokenizer_configuration(fields: dict[str, Any]) -> dict[str, object]:
    tokens = fields["tokenizer.ggml.tokens"]
    return {
        "add_prefix_space": False,
        "additional_special_tokens": [],
        "bos_token": tokens[fields["tokenizer.ggml.bos_token_id"]],
        "chat_template": fields["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        "eos_token": tokens[fields["tokenizer.ggml.eos_token_id"]],
        "model_max_length": fields["llama.context_length"],
        "pad_token": tokens[fields["tokenizer.ggml.padding_token_id"]],
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": tokens[fields["tokenizer.ggml.unknown_token_id"]],
    }
