"""What travels between the sandbox's parent and its children: JSON and raw arrays.

Nothing is unpickled, and every length that a child names is checked before memory is set
aside for it: a child runs native decoders on hostile bytes and may say anything.
"""

import json
import math
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import (
    CorruptMedia,
    DecodeTimeout,
    DecoderCrashed,
    EmptyFile,
    LimitExceeded,
    MediaError,
    NoUsableMedia,
    UnreadableFile,
    UnsupportedMedia,
)
from encoders.sampling import sampling_from_id, sampling_id
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    FrameBatch,
    MediaMetadata,
    Modality,
    StreamInfo,
)

_HEADER_BYTES_MAX = 2**20
_TEXT_MAX = 500
_LIST_MAX = 256
_ERRORS: dict[str, type[MediaError]] = {
    kind.code: kind
    for kind in (
        CorruptMedia,
        DecodeTimeout,
        DecoderCrashed,
        EmptyFile,
        LimitExceeded,
        MediaError,
        NoUsableMedia,
        UnreadableFile,
        UnsupportedMedia,
    )
}

Receive = Callable[[memoryview], None]


class WireError(Exception):
    """The child's answer breaks the protocol."""


def request_to_json(request: ReadRequest, limits: ReadLimits, readers: tuple[str, ...]) -> str:
    """A request for one child."""
    return json.dumps(
        {
            "sampling": sampling_id(request.sampling),
            "audio_seconds_max": request.audio_seconds_max,
            "sample_rate_hz": request.sample_rate_hz,
            "limits": asdict(limits),
            "readers": readers,
        }
    )


def request_from_json(text: str) -> tuple[ReadRequest, ReadLimits, tuple[str, ...]]:
    """The inverse of `request_to_json`."""
    fields = json.loads(text)
    request = ReadRequest(
        sampling=sampling_from_id(fields["sampling"]),
        audio_seconds_max=fields["audio_seconds_max"],
        sample_rate_hz=fields["sample_rate_hz"],
    )
    return request, ReadLimits(**fields["limits"]), tuple(fields["readers"])


def send_media(sock: socket.socket, media: DecodedMedia) -> None:
    """Answer with decoded media."""
    meta = media.metadata
    header: dict[str, Any] = {
        "metadata": {
            "container": meta.container,
            "size_bytes": meta.size_bytes,
            "claimed": [asdict(stream) for stream in meta.claimed],
            "observed": [asdict(stream) for stream in meta.observed],
            "reader": meta.reader,
            "tags": dict(meta.tags),
            "notes": list(meta.notes),
        },
        "modality": media.modality.value,
        "duration_seconds": media.duration_seconds,
        "frames": None,
        "audio": None,
    }
    arrays: list[np.ndarray[Any, Any]] = []
    if media.frames is not None:
        header["frames"] = {
            "shape": list(media.frames.pixels_FHWC.shape),
            "source_height": media.frames.source_height,
            "source_width": media.frames.source_width,
        }
        arrays += [media.frames.pixels_FHWC, media.frames.timestamps_seconds_F]
    if media.audio is not None:
        header["audio"] = {
            "size": int(media.audio.waveform_T.size),
            "sample_rate_hz": media.audio.sample_rate_hz,
            "source_sample_rate_hz": media.audio.source_sample_rate_hz,
        }
        arrays.append(media.audio.waveform_T)
    _send_header(sock, header)
    for array in arrays:
        sock.sendall(memoryview(np.ascontiguousarray(array)).cast("B"))


def send_error(sock: socket.socket, error: MediaError) -> None:
    """Answer with a typed error."""
    _send_header(
        sock,
        {
            "error": error.code,
            "found": error.found[:_TEXT_MAX],
            "expected": error.expected[:_TEXT_MAX],
            "remedy": error.remedy[:_TEXT_MAX],
            "limit": error.limit if isinstance(error, LimitExceeded) else "",
        },
    )


def _send_header(sock: socket.socket, header: Mapping[str, Any]) -> None:
    text = json.dumps(header).encode()
    sock.sendall(len(text).to_bytes(8, "big") + text)


def receive_media(receive: Receive, limits: ReadLimits, size_bytes: int) -> DecodedMedia:
    """Read one answer. `receive` fills a buffer, or raises.

    The SHA-256 in the metadata is left empty, and the size is `size_bytes`: the parent knows
    both better than the child.

    Raises:
        MediaError: what the child reported.
        WireError: the answer is malformed, or larger than `limits.output_bytes_max`.
    """
    try:
        length = int.from_bytes(_receive_bytes(receive, 8), "big")
        if length > _HEADER_BYTES_MAX:
            raise WireError(f"a header of {length} bytes")
        header = json.loads(_receive_bytes(receive, length))
        if "error" in header:
            raise _error_from(header)
        return _media_from(header, receive, limits, size_bytes)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise WireError(f"{type(error).__name__}: {error}") from error


def _receive_bytes(receive: Receive, length: int) -> bytes:
    buffer = bytearray(length)
    receive(memoryview(buffer))
    return bytes(buffer)


def _error_from(header: Mapping[str, Any]) -> MediaError:
    kind = _ERRORS[str(header["error"])]
    texts = {key: str(header[key])[:_TEXT_MAX] for key in ("expected", "remedy")}
    found = str(header["found"])[:_TEXT_MAX]
    if issubclass(kind, LimitExceeded):
        return kind(str(header["limit"])[:64], found, **texts)
    return kind(found, **texts)


def _media_from(
    header: Mapping[str, Any], receive: Receive, limits: ReadLimits, size_bytes: int
) -> DecodedMedia:
    frames = audio = None
    said = header["frames"]
    budget = limits.output_bytes_max
    if said is not None:
        shape = tuple(_count(n) for n in said["shape"])
        if len(shape) != 4 or shape[3] != 3 or math.prod(shape) + 8 * shape[0] > budget:
            raise WireError(f"frames of shape {shape}")
        budget -= math.prod(shape) + 8 * shape[0]
        frames = FrameBatch(
            pixels_FHWC=_receive_array(receive, shape, np.uint8),
            timestamps_seconds_F=_receive_array(receive, shape[:1], np.float64),
            source_height=_count(said["source_height"]),
            source_width=_count(said["source_width"]),
        )
        if not np.isfinite(frames.timestamps_seconds_F).all():
            raise WireError("frame times are not finite")
    said = header["audio"]
    if said is not None:
        size = _count(said["size"])
        if 4 * size > budget:
            raise WireError(f"{size} audio samples")
        waveform = _receive_array(receive, (size,), np.float32)
        if not (np.abs(waveform) <= 1.0).all():
            raise WireError("audio samples are outside [-1, 1]")
        rates = _count(said["sample_rate_hz"]), _count(said["source_sample_rate_hz"])
        audio = AudioSamples(waveform, *rates)
    duration = float(header["duration_seconds"])
    if not math.isfinite(duration) or duration < 0.0:
        raise WireError(f"a duration of {duration} s")
    return DecodedMedia(
        metadata=_metadata_from(header["metadata"], size_bytes),
        modality=Modality(header["modality"]),
        duration_seconds=duration,
        frames=frames,
        audio=audio,
    )


def _metadata_from(said: Mapping[str, Any], size_bytes: int) -> MediaMetadata:
    return MediaMetadata(
        container=str(said["container"])[:_TEXT_MAX],
        size_bytes=size_bytes,
        sha256="",
        claimed=tuple(_stream_from(stream) for stream in said["claimed"][:_LIST_MAX]),
        observed=tuple(_stream_from(stream) for stream in said["observed"][:_LIST_MAX]),
        reader=str(said["reader"])[:64],
        tags={
            str(key)[:_TEXT_MAX]: str(value)[:_TEXT_MAX]
            for key, value in list(said["tags"].items())[:_LIST_MAX]
        },
        notes=tuple(str(note)[:_TEXT_MAX] for note in said["notes"][:_LIST_MAX]),
    )


def _stream_from(said: Mapping[str, Any]) -> StreamInfo:
    def number(name: str) -> float | None:
        return None if said[name] is None else float(said[name])

    def count(name: str) -> int | None:
        return None if said[name] is None else _count(said[name])

    return StreamInfo(
        kind=str(said["kind"])[:64],
        codec=str(said["codec"])[:64],
        width=count("width"),
        height=count("height"),
        frames=count("frames"),
        frames_per_second=number("frames_per_second"),
        duration_seconds=number("duration_seconds"),
        sample_rate_hz=count("sample_rate_hz"),
        channels=count("channels"),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise WireError(f"{value!r} is no count")
    return value


def _receive_array(receive: Receive, shape: tuple[int, ...], kind: Any) -> Any:
    array = np.empty(shape, dtype=kind)
    if array.size:
        receive(memoryview(array).cast("B"))
    return array
