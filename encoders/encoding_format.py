"""An `Encoding` as one self-checking safetensors file, and back, bit for bit.

Arrays are tensors; everything else is JSON in the header's metadata, with a SHA-256 over both: a
flipped bit in an array is no less wrong than one in the header.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from encoders.types import (
    Direction,
    Encoding,
    FeatureSequence,
    Modality,
    Signal,
    Span,
    Transcript,
    TranscriptSegment,
)

_FORMAT = 1
_DIGEST_LENGTH = 64

Arrays = dict[str, npt.NDArray[Any]]


class DamagedEncoding(ValueError):
    """The bytes are not a whole encoding of this format."""


def to_bytes(encoding: Encoding) -> bytes:
    """Serialise; layers keep their order."""
    arrays: Arrays = {}
    sequences = []
    for index, sequence in enumerate(encoding.sequences):
        arrays[f"sequence.{index}.start"] = sequence.start_seconds_N
        arrays[f"sequence.{index}.end"] = sequence.end_seconds_N
        for name, values in sequence.layers.items():
            arrays[f"sequence.{index}.layer.{name}"] = values
        sequences.append(
            {
                "encoder": sequence.encoder,
                "modality": sequence.modality,
                "layers": list(sequence.layers),
            }
        )
    signals = []
    for index, signal in enumerate(encoding.signals):
        fields = asdict(signal)
        if fields.pop("heat_map_HW") is not None and signal.heat_map_HW is not None:
            arrays[f"signal.{index}.heat_map"] = signal.heat_map_HW
        signals.append(fields)
    transcript = None if encoding.transcript is None else asdict(encoding.transcript)["segments"]
    text = json.dumps(
        {
            "format": _FORMAT,
            "sequences": sequences,
            "signals": signals,
            "transcript": transcript,
        }
    )
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    # One entry only: safetensors orders metadata at random, and equal encodings are equal bytes.
    return bytes(safetensors.numpy.save(arrays, {"encoding": _digest(text, arrays) + text}))


def from_bytes(data: bytes) -> Encoding:
    """Read what `to_bytes` wrote.

    Raises:
        DamagedEncoding: cut short, changed, or of another format.
    """
    try:
        header_end = 8 + int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8:header_end])["__metadata__"]["encoding"]
        digest, text = metadata[:_DIGEST_LENGTH], metadata[_DIGEST_LENGTH:]
        # Copies, for torch refuses to share memory that it may not write.
        arrays = {name: array.copy() for name, array in safetensors.numpy.load(data).items()}
        if _digest(text, arrays) != digest:
            raise DamagedEncoding("the checksum differs")
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise DamagedEncoding(f"format {content['format']}, not {_FORMAT}")
        return _encoding(content, arrays)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedEncoding(str(error)) from error


def _encoding(content: Mapping[str, Any], arrays: Arrays) -> Encoding:
    segments = content["transcript"]
    return Encoding(
        sequences=tuple(
            FeatureSequence(
                encoder=fields["encoder"],
                modality=Modality(fields["modality"]),
                layers={
                    name: arrays[f"sequence.{index}.layer.{name}"] for name in fields["layers"]
                },
                start_seconds_N=arrays[f"sequence.{index}.start"],
                end_seconds_N=arrays[f"sequence.{index}.end"],
            )
            for index, fields in enumerate(content["sequences"])
        ),
        signals=tuple(
            Signal(
                **{
                    **fields,
                    "modality": Modality(fields["modality"]),
                    "direction": Direction(fields["direction"]),
                    "span": Span(**fields["span"]),
                    "heat_map_HW": arrays.get(f"signal.{index}.heat_map"),
                }
            )
            for index, fields in enumerate(content["signals"])
        ),
        transcript=None
        if segments is None
        else Transcript(
            tuple(
                TranscriptSegment(Span(**segment["span"]), segment["text"]) for segment in segments
            )
        ),
    )


def _digest(text: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
