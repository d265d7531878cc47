"""Protocols that readers and encoders implement; free of heavy imports."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

from encoders.sampling import Sampling
from encoders.types import DecodedMedia, Encoding


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds on one file and its decoder child, all positive; more is refused, typed.

    wall_seconds: for one file, hashing included. cpu_seconds: for one reader on it.
    memory_bytes: address space of the child.
    pixels_max: width x height of one picture as coded in the stream.
    duration_seconds_max: of what is read (content beyond it is not decoded).
    frame_side_max: longer frames are reduced to this many pixels on the longer side.
    output_bytes_max: decoded bytes that the child may hand back.
    file_bytes_max: size of the file itself.
    """

    wall_seconds: float = 60.0
    cpu_seconds: int = 60
    memory_bytes: int = 3 * 2**30
    pixels_max: int = 50_000_000
    duration_seconds_max: float = 4 * 3600.0
    frame_side_max: int = 1024
    output_bytes_max: int = 512 * 2**20
    file_bytes_max: int = 4 * 2**30

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}, not positive")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to take out of a file.

    sampling: which frames. audio_seconds_max: how much sound. sample_rate_hz: of the sound.
    """

    sampling: Sampling
    audio_seconds_max: float = 120.0
    sample_rate_hz: int = 16_000


class MediaReader(Protocol):
    """Decodes one family of formats. Runs inside the sandbox child only."""

    name: str

    def read(self, path: str, request: ReadRequest, limits: ReadLimits) -> DecodedMedia:
        """Decode `path`.

        Raises:
            MediaError: the file is not what this reader takes, damaged, or beyond `limits`.
        """
        ...


class Encoder(Protocol):
    """Turns decoded media into time-stamped features, a batch at a time.

    version: changes whenever the same bytes would give other features; part of the cache key.
    """

    name: str
    version: str

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        """One `Encoding` an item, in order; an empty one where the encoder does not apply.

        The result for an item does not depend on its neighbours (to 1e-5).
        """
        ...
