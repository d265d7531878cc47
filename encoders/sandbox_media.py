"""Decoded media on the wire: how a decoder child sends them, and what is believed of its answer.

Kinds, shapes and sizes are checked before any memory is set aside for them, and every value
before anybody computes with it.
"""

import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.base import ReadLimits
from encoders.sandbox_wire import (
    Deadline,
    Header,
    MalformedAnswer,
    OversizedAnswer,
    printable,
    receive_into,
    send_header,
)
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    FrameBatch,
    MediaMetadata,
    Modality,
    StreamInfo,
)

# Name of each array: its dtype and its number of dimensions.
ARRAYS: Mapping[str, tuple[str, int]] = {
    "pixels_FHWC": ("uint8", 4),
    "timestamps_seconds_F": ("float64", 1),
    "waveform_T": ("float32", 1),
}

Array = npt.NDArray[Any]


def send_media(channel: socket.socket, media: DecodedMedia) -> None:
    """Send decoded media: a header, then the bytes of each array in C order."""
    arrays: dict[str, Array] = {}
    header: Header = {
        "metadata": {**asdict(media.metadata), "tags": dict(media.metadata.tags)},
        "modality": media.modality.value,
        "duration_seconds": media.duration_seconds,
    }
    if media.frames is not None:
        arrays["pixels_FHWC"] = media.frames.pixels_FHWC
        arrays["timestamps_seconds_F"] = media.frames.timestamps_seconds_F
        header["source_height"] = media.frames.source_height
        header["source_width"] = media.frames.source_width
    if media.audio is not None:
        arrays["waveform_T"] = media.audio.waveform_T
        header["sample_rate_hz"] = media.audio.sample_rate_hz
        header["source_sample_rate_hz"] = media.audio.source_sample_rate_hz
    sendable = {
        name: np.ascontiguousarray(values, dtype=ARRAYS[name][0]) for name, values in arrays.items()
    }
    header["arrays"] = {name: list(values.shape) for name, values in sendable.items()}
    send_header(channel, {"media": header})
    for values in sendable.values():
        channel.sendall(values.reshape(-1).view(np.uint8).data)


def receive_media(
    channel: socket.socket, header: Header, limits: ReadLimits, deadline: Deadline
) -> DecodedMedia:
    """Read the arrays announced by `header` (the value of "media") and build the value.

    Raises:
        OversizedAnswer: beyond `output_bytes_max` or `frame_side_max`; nothing was allocated.
        MalformedAnswer: a field is missing, of the wrong kind, or contradicts another.
        TimeoutError, Disconnected: as `receive_into`.
    """
    shapes = _checked_shapes(header.get("arrays"), limits)
    arrays: dict[str, Array] = {}
    for name, shape in shapes.items():
        values = np.empty(shape, dtype=ARRAYS[name][0])
        receive_into(channel, values.reshape(-1).view(np.uint8).data, deadline)
        if values.dtype != np.uint8 and not np.isfinite(values).all():
            raise MalformedAnswer(f"{name} holds NaN or infinity")
        if name == "waveform_T" and max(-values.min(), values.max()) > 1.0:
            raise MalformedAnswer("waveform_T beyond -1..1")
        if name == "timestamps_seconds_F" and values[0] < 0.0:
            raise MalformedAnswer("timestamps_seconds_F before 0")
        arrays[name] = values
    try:
        return _built_media(header, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedAnswer(f"an answer with a wrong field ({error})") from error


def _checked_shapes(announced: object, limits: ReadLimits) -> dict[str, tuple[int, ...]]:
    if not isinstance(announced, dict):
        raise MalformedAnswer("an answer without arrays")
    shapes: dict[str, tuple[int, ...]] = {}
    total_bytes = 0
    for name, shape in announced.items():
        if name not in ARRAYS:
            raise MalformedAnswer("an array of an unknown name")
        dtype, dimensions = ARRAYS[name]
        if not isinstance(shape, list) or len(shape) != dimensions:
            raise MalformedAnswer(f"{name} with a wrong number of dimensions")
        size = np.dtype(dtype).itemsize
        for length in shape:
            if type(length) is not int or length < 1:
                raise MalformedAnswer(f"{name} with a length that is no positive integer")
            size *= length
        total_bytes += size
        shapes[name] = tuple(shape)
    if total_bytes > limits.output_bytes_max:
        raise OversizedAnswer("output_bytes_max", f"{total_bytes} decoded bytes")
    if "pixels_FHWC" in shapes and max(shapes["pixels_FHWC"][1:3]) > limits.frame_side_max:
        raise OversizedAnswer("frame_side_max", f"frames of shape {shapes['pixels_FHWC']}")
    return shapes


def _built_media(header: Header, arrays: dict[str, Array]) -> DecodedMedia:
    frames, audio = None, None
    if "pixels_FHWC" in arrays:
        frames = FrameBatch(
            pixels_FHWC=arrays["pixels_FHWC"],
            timestamps_seconds_F=arrays["timestamps_seconds_F"],
            source_height=_counted(header["source_height"]),
            source_width=_counted(header["source_width"]),
        )
    if "waveform_T" in arrays:
        audio = AudioSamples(
            waveform_T=arrays["waveform_T"],
            sample_rate_hz=_counted(header["sample_rate_hz"]),
            source_sample_rate_hz=_counted(header["source_sample_rate_hz"]),
        )
    fields = header["metadata"]
    metadata = MediaMetadata(
        container=printable(fields["container"]),
        size_bytes=int(fields["size_bytes"]),
        sha256=printable(fields["sha256"]),
        claimed=tuple(_built_stream(stream) for stream in fields["claimed"]),
        observed=tuple(_built_stream(stream) for stream in fields["observed"]),
        reader=printable(fields["reader"]),
        tags={printable(key): printable(value) for key, value in fields["tags"].items()},
        notes=tuple(printable(note) for note in fields["notes"]),
    )
    duration_seconds = float(header["duration_seconds"])
    if not 0.0 <= duration_seconds < float("inf"):
        raise ValueError("duration_seconds is no length of time")
    return DecodedMedia(metadata, Modality(header["modality"]), duration_seconds, frames, audio)


def _counted(value: object) -> int:
    if type(value) is not int or not 1 <= value < 2**31:
        raise ValueError(f"{printable(value)[:40]} is no count")
    return value


def _built_stream(fields: Mapping[str, Any]) -> StreamInfo:
    def number(name: str, kind: type[int] | type[float]) -> Any:
        if fields[name] is None:
            return None
        value = kind(fields[name])
        if not abs(value) < 2**63:
            raise ValueError(f"{name} is no measure")
        return value

    return StreamInfo(
        kind=printable(fields["kind"]),
        codec=printable(fields["codec"]),
        width=number("width", int),
        height=number("height", int),
        frames=number("frames", int),
        frames_per_second=number("frames_per_second", float),
        duration_seconds=number("duration_seconds", float),
        sample_rate_hz=number("sample_rate_hz", int),
        channels=number("channels", int),
    )
