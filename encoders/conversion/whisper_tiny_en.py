"""Whisper tiny.en from CTranslate2's binary format to openai-whisper's state dict.

The container is plain: a version, then names, shapes and raw tensors
(CTranslate2, python/ctranslate2/specs/model_spec.py, binary version 6). Attention projections are
fused there: `linear_0` of self-attention is query, key, value; `linear_1` of cross-attention is
key, value. Whisper's key projection has no bias (arXiv:2212.04356), so that slice must be zero.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.conversion.tensors import write_json, write_tensors
from encoders.errors import WeightsError

_BINARY_VERSION = 6
_DTYPES: dict[int, str] = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}

DIMENSIONS = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 384,
    "n_audio_head": 6,
    "n_audio_layer": 4,
    "n_vocab": 51864,
    "n_text_ctx": 448,
    "n_text_state": 384,
    "n_text_head": 6,
    "n_text_layer": 4,
}

Arrays = dict[str, npt.NDArray[Any]]


def convert(raw: Path, destination: Path) -> None:
    """Read `raw` (model.bin), write `model.safetensors` (fp16, as published) and `dims.json`.

    Raises:
        WeightsError: not version 6, or not the layout described above.
    """
    source = read_ctranslate2(raw)
    tensors: Arrays = {
        "encoder.conv1.weight": source["encoder/conv1/weight"],
        "encoder.conv1.bias": source["encoder/conv1/bias"],
        "encoder.conv2.weight": source["encoder/conv2/weight"],
        "encoder.conv2.bias": source["encoder/conv2/bias"],
        "encoder.positional_embedding": source["encoder/position_encodings/encodings"],
        "decoder.token_embedding.weight": source["decoder/embeddings/weight"],
        "decoder.positional_embedding": source["decoder/position_encodings/encodings"],
    }
    tensors |= _layer_norm(source, "encoder/layer_norm", "encoder.ln_post")
    tensors |= _layer_norm(source, "decoder/layer_norm", "decoder.ln")
    for side, layers in (
        ("encoder", DIMENSIONS["n_audio_layer"]),
        ("decoder", DIMENSIONS["n_text_layer"]),
    ):
        for index in range(layers):
            tensors |= _block(source, f"{side}/layer_{index}", f"{side}.blocks.{index}")
    write_tensors(destination / "model.safetensors", tensors)
    write_json(destination / "dims.json", DIMENSIONS)


def read_ctranslate2(path: Path) -> Arrays:
    """All variables of a CTranslate2 model file by name.

    Raises:
        WeightsError: another version of the format, or a file that ends early.
    """
    data = memoryview(path.read_bytes())
    offset = 0

    def number(code: str) -> int:
        nonlocal offset
        (value,) = struct.unpack_from(f"<{code}", data, offset)
        offset += struct.calcsize(f"<{code}")
        return int(value)

    def text() -> str:
        nonlocal offset
        length = number("H")
        value = bytes(data[offset : offset + length]).rstrip(b"\0").decode()
        offset += length
        return value

    variables: Arrays = {}
    try:
        version, kind, _revision = number("I"), text(), number("I")
        if version != _BINARY_VERSION or kind != "WhisperSpec":
            raise WeightsError(
                f"{path.name} is a {kind} of format version {version}",
                expected=f"WhisperSpec of version {_BINARY_VERSION}",
                remedy="Pull the artefact again.",
            )
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            dtype = np.dtype(_DTYPES[number("B")])
            size = number("I")
            values = np.frombuffer(data[offset : offset + size], dtype)
            variables[name] = values.reshape(shape)
            offset += size
    except (struct.error, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path.name} cannot be read at byte {offset}: {error}",
            expected="a complete CTranslate2 model file",
            remedy="Pull the artefact again.",
        ) from error
    return variables


def _layer_norm(source: Arrays, old: str, new: str) -> Arrays:
    return {f"{new}.weight": source[f"{old}/gamma"], f"{new}.bias": source[f"{old}/beta"]}


def _linear(source: Arrays, old: str, new: str) -> Arrays:
    return {f"{new}.weight": source[f"{old}/weight"], f"{new}.bias": source[f"{old}/bias"]}


def _split(source: Arrays, old: str, new: str, parts: tuple[str, ...]) -> Arrays:
    """Take a fused projection apart, row block by row block."""
    weights = np.split(source[f"{old}/weight"], len(parts))
    biases = np.split(source[f"{old}/bias"], len(parts))
    tensors: Arrays = {}
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        tensors[f"{new}.{part}.weight"] = weight
        if part != "key":
            tensors[f"{new}.{part}.bias"] = bias
        elif np.any(bias):
            raise WeightsError(
                f"the key projection of {old} has a bias of up to {np.abs(bias).max()}",
                expected="zero, for Whisper's key projection has none",
                remedy="Report this: the published layout has changed.",
            )
    return tensors


def _block(source: Arrays, old: str, new: str) -> Arrays:
    attention = f"{old}/self_attention"
    tensors = _layer_norm(source, f"{attention}/layer_norm", f"{new}.attn_ln")
    tensors |= _split(source, f"{attention}/linear_0", f"{new}.attn", ("query", "key", "value"))
    tensors |= _linear(source, f"{attention}/linear_1", f"{new}.attn.out")
    cross = f"{old}/attention"
    if f"{cross}/linear_0/weight" in source:
        tensors |= _layer_norm(source, f"{cross}/layer_norm", f"{new}.cross_attn_ln")
        tensors |= _linear(source, f"{cross}/linear_0", f"{new}.cross_attn.query")
        tensors |= _split(source, f"{cross}/linear_1", f"{new}.cross_attn", ("key", "value"))
        tensors |= _linear(source, f"{cross}/linear_2", f"{new}.cross_attn.out")
    tensors |= _layer_norm(source, f"{old}/ffn/layer_norm", f"{new}.mlp_ln")
    tensors |= _linear(source, f"{old}/ffn/linear_0", f"{new}.mlp.0")
    tensors |= _linear(source, f"{old}/ffn/linear_1", f"{new}.mlp.2")
    return tensors
