"""Conversions of published weights: formats read, permutations undone, bytes the same."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from encoders.conversion import whisper_tiny_en
from encoders.conversion.smollm2_135m_instruct import deinterleave
from encoders.conversion.tensors import write_tensors
from encoders.errors import WeightsError


def test_tensors_are_written_the_same_whatever_their_order(tmp_path: Path) -> None:
    tensors = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.ones((3, 2), np.float16).T,
        "n": np.array(7, np.int64),
    }
    write_tensors(tmp_path / "1", tensors)
    write_tensors(tmp_path / "2", dict(reversed(tensors.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    loaded = safetensors.numpy.load_file(tmp_path / "1")
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype
    with pytest.raises(ValueError, match="complex64"):
        write_tensors(tmp_path / "3", {"c": np.zeros(1, np.complex64)})


def test_rotary_rows_are_put_back() -> None:
    # llama.cpp's own permutation (convert_hf_to_gguf.py), which the conversion must undo.
    heads, width = 3, 8
    rows = np.arange(heads * width * 5).reshape(heads * width, 5)
    permuted = rows.reshape(heads, 2, width // 2, 5).swapaxes(1, 2).reshape(rows.shape)
    assert not np.array_equal(permuted, rows)
    np.testing.assert_array_equal(deinterleave(permuted, heads), rows)


def ctranslate2_bytes(version: int, variables: dict[str, np.ndarray]) -> bytes:
    def text(value: str) -> bytes:
        encoded = value.encode() + b"\0"
        return len(encoded).to_bytes(2, "little") + encoded

    data = version.to_bytes(4, "little") + text("WhisperSpec") + (3).to_bytes(4, "little")
    data += len(variables).to_bytes(4, "little")
    for name, value in variables.items():
        data += text(name) + bytes([value.ndim])
        data += b"".join(side.to_bytes(4, "little") for side in value.shape)
        data += bytes([4]) + value.nbytes.to_bytes(4, "little") + value.tobytes()
    return data


def test_ctranslate2_files_are_read_or_refused(tmp_path: Path) -> None:
    variables = {"encoder/a": np.arange(6, dtype=np.float16).reshape(2, 3)}
    path = tmp_path / "model.bin"
    path.write_bytes(ctranslate2_bytes(6, variables))
    read = whisper_tiny_en.read_ctranslate2(path)
    np.testing.assert_array_equal(read["encoder/a"], variables["encoder/a"])
    path.write_bytes(ctranslate2_bytes(7, variables))
    with pytest.raises(WeightsError, match="version 7"):
        whisper_tiny_en.read_ctranslate2(path)
    path.write_bytes(ctranslate2_bytes(6, variables)[:-3])
    with pytest.raises(WeightsError, match="cannot be read"):
        whisper_tiny_en.read_ctranslate2(path)


def test_key_projection_with_a_bias_is_refused(tmp_path: Path) -> None:
    half = np.float16
    layer = "encoder/layer_0/self_attention"
    variables = {
        "encoder/conv1/weight": np.zeros(1, half), "encoder/conv1/bias": np.zeros(1, half),
        "encoder/conv2/weight": np.zeros(1, half), "encoder/conv2/bias": np.zeros(1, half),
        "encoder/position_encodings/encodings": np.zeros(1, half),
        "decoder/embeddings/weight": np.zeros(1, half),
        "decoder/position_encodings/encodings": np.zeros(1, half),
        "encoder/layer_norm/gamma": np.zeros(1, half),
        "encoder/layer_norm/beta": np.zeros(1, half),
        "decoder/layer_norm/gamma": np.zeros(1, half),
        "decoder/layer_norm/beta": np.zeros(1, half),
        f"{layer}/layer_norm/gamma": np.zeros(1, half),
        f"{layer}/layer_norm/beta": np.zeros(1, half),
        f"{layer}/linear_0/weight": np.zeros((6, 2), half),
        f"{layer}/linear_0/bias": np.array([0, 0, 0, 1, 0, 0], half),
    }  # fmt: skip
    path = tmp_path / "model.bin"
    path.write_bytes(ctranslate2_bytes(6, variables))
    with pytest.raises(WeightsError, match="key projection"):
        whisper_tiny_en.convert(path, tmp_path)
