"""Values that pass between readers, encoders and the judge.

Dimensions in names: F frames, H height, W width, C channels, T audio samples,
N feature positions in time, D feature width.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
SecondsArray = npt.NDArray[np.float64]
ByteArray = npt.NDArray[np.uint8]


class Modality(StrEnum):
    """Which sense a feature, signal or claim speaks of."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, seconds from the start of the file; 0 <= start <= end."""

    start_seconds: float
    end_seconds: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_seconds <= self.end_seconds:
            raise ValueError(f"span {self.start_seconds}..{self.end_seconds} is not ordered")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One elementary stream; None where the header (or the content) does not say."""

    kind: str
    codec: str
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    frames_per_second: float | None = None
    duration_seconds: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class MediaMetadata:
    """`claimed` is what the header says, `observed` what decoding showed. Believe the second."""

    container: str
    size_bytes: int
    sha256: str
    claimed: tuple[StreamInfo, ...]
    observed: tuple[StreamInfo, ...]
    reader: str
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Decoded RGB frames.

    pixels_FHWC: uint8, (F, H, W, 3), F >= 1; at most `ReadLimits.frame_side_max` on a side.
    timestamps_seconds_F: presentation times, non-decreasing.
    source_height, source_width: size in the file, before any reduction.
    """

    pixels_FHWC: ByteArray
    timestamps_seconds_F: SecondsArray
    source_height: int
    source_width: int

    def __post_init__(self) -> None:
        shape = self.pixels_FHWC.shape
        if len(shape) != 4 or shape[0] < 1 or shape[3] != 3 or self.pixels_FHWC.dtype != np.uint8:
            raise ValueError(f"frames are {shape} {self.pixels_FHWC.dtype}, not uint8 (F>=1,H,W,3)")
        if self.timestamps_seconds_F.shape != shape[:1]:
            raise ValueError(f"{self.timestamps_seconds_F.shape} times for {shape[0]} frames")
        if np.any(np.diff(self.timestamps_seconds_F) < 0):
            raise ValueError("frame times go backwards")


@dataclass(frozen=True, slots=True)
class AudioSamples:
    """Mono float32 waveform_T in [-1, 1] at `sample_rate_hz`; T >= 1.

    source_sample_rate_hz: rate in the file, before resampling: an 8 kHz recording has no
    energy above 4 kHz, which says nothing about its authenticity.
    """

    waveform_T: FloatArray
    sample_rate_hz: int
    source_sample_rate_hz: int

    def __post_init__(self) -> None:
        if self.waveform_T.ndim != 1 or self.waveform_T.size < 1:
            raise ValueError(f"waveform has shape {self.waveform_T.shape}, not (T>=1,)")

    @property
    def duration_seconds(self) -> float:
        return float(self.waveform_T.size / self.sample_rate_hz)


@dataclass(frozen=True, slots=True)
class DecodedMedia:
    """What came out of the sandbox: at least one of `frames` and `audio`."""

    metadata: MediaMetadata
    modality: Modality
    duration_seconds: float
    frames: FrameBatch | None
    audio: AudioSamples | None

    def __post_init__(self) -> None:
        if self.frames is None and self.audio is None:
            raise ValueError("decoded media needs frames or audio")


@dataclass(frozen=True, slots=True)
class FeatureSequence:
    """Features of one encoder for one modality, several layers over the same positions.

    layers: name -> float32 (N, D_layer); N >= 1 equal in all layers, D may differ.
    start_seconds_N, end_seconds_N: the time each position looks at.
    """

    encoder: str
    modality: Modality
    layers: Mapping[str, FloatArray]
    start_seconds_N: SecondsArray
    end_seconds_N: SecondsArray

    def __post_init__(self) -> None:
        n = self.start_seconds_N.shape
        if len(n) != 1 or n[0] < 1 or self.end_seconds_N.shape != n or not self.layers:
            raise ValueError(f"{self.encoder}: times {n}, {self.end_seconds_N.shape}; need (N>=1,)")
        for name, values in self.layers.items():
            if values.ndim != 2 or values.shape[0] != n[0]:
                raise ValueError(f"{self.encoder}.{name} is {values.shape}, not ({n[0]}, D)")
            if not np.isfinite(values).all():
                raise ValueError(f"{self.encoder}.{name} holds NaN or infinity")


class Direction(StrEnum):
    """Which way a signal points when media has been tampered with."""

    HIGH = "high"
    LOW = "low"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Signal:
    """One forensic measurement that a person can read.

    value: in `unit`; typical_low..typical_high: 5th to 95th percentile on genuine media.
    direction: where tampering moves the value.
    heat_map_HW: float32 in [0, 1] over the picture at `span.start_seconds`, if spatial.
    """

    name: str
    modality: Modality
    value: float
    unit: str
    span: Span
    direction: Direction
    typical_low: float
    typical_high: float
    explanation: str
    heat_map_HW: FloatArray | None = None

    @property
    def is_unusual(self) -> bool:
        """Outside the typical range, on the side that tampering moves it to."""
        low = self.value < self.typical_low and self.direction is not Direction.HIGH
        high = self.value > self.typical_high and self.direction is not Direction.LOW
        return low or high


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """A stretch of speech as the recogniser heard it: untrusted text."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Speech of one item, in order of time."""

    segments: tuple[TranscriptSegment, ...]

    @property
    def text(self) -> str:
        return " ".join(segment.text.strip() for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Encoding:
    """All that one encoder says of one item; empty where it has nothing to look at."""

    sequences: tuple[FeatureSequence, ...] = ()
    signals: tuple[Signal, ...] = ()
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class MediaFeatures:
    """What the judge reads: every encoder's output for one item."""

    metadata: MediaMetadata
    modality: Modality
    duration_seconds: float
    sequences: tuple[FeatureSequence, ...]
    signals: tuple[Signal, ...]
    transcript: Transcript | None
