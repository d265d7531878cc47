"""Writes safetensors files whose bytes depend on the tensors alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_DTYPE_NAMES = {"float32": "F32", "float16": "F16", "int64": "I64"}
_ALIGNMENT_BYTES = 8


def write_tensors(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write `tensors` in name order, with no metadata but the framework that reads them.

    The library's own writer orders its header by a hash map and by its version; a pinned SHA-256
    needs an order that is ours. The format: header length as little-endian u64, JSON header, raw
    little-endian tensors.

    Raises:
        ValueError: a tensor is neither float32, float16 nor int64.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        if tensor.dtype.name not in _DTYPE_NAMES:
            raise ValueError(f"{name} is {tensor.dtype}, not one of {sorted(_DTYPE_NAMES)}")
        header[name] = {
            "dtype": _DTYPE_NAMES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in sorted(tensors):
            little_endian = tensors[name].astype(tensors[name].dtype.newbyteorder("<"), copy=False)
            file.write(np.ascontiguousarray(little_endian).tobytes())


def write_json(path: Path, value: object) -> None:
    """Write `value` as UTF-8 JSON with sorted keys: the same bytes every time."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
