"""One pass over the packets of a file, decoding key pictures only."""

from dataclasses import dataclass
from typing import Any

import av.error
import numpy as np

from encoders.base import ReadLimits
from encoders.readers.opening import describe
from encoders.types import SecondsArray

_KEY_PICTURES_MAX = 64


@dataclass(frozen=True, slots=True)
class VideoScan:
    """timestamps_F: presentation seconds of the packets to be shown, ascending, from 0.

    keyframe_seconds: where decoding can start. discarded: packets the container hides.
    is_ordinal: the container keeps no presentation times (AVI): the n-th picture that the
    decoder gives out is shown at timestamps_F[n], whatever stamp it bears.
    is_partial: the walk stopped at the longest duration that is read.
    checked, damaged: key pictures decoded by the scan, and those that were broken.
    """

    index: int
    codec: str
    width: int
    height: int
    timestamps_F: SecondsArray
    keyframe_seconds: SecondsArray
    frame_seconds: float
    discarded: int
    is_ordinal: bool
    is_partial: bool
    checked: int
    damaged: int


@dataclass(frozen=True, slots=True)
class AudioScan:
    """start_seconds: first sample, against the file's origin. packet_seconds: sum of packets."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    start_seconds: float
    packet_seconds: float


class Walk:
    """One pass over the packets; mutable, and gone when the scan is done."""

    def __init__(self, video: Any, audio: Any, origin: float, limits: ReadLimits) -> None:
        self.video, self.audio = video, audio
        self.origin, self.limits = origin, limits
        self.notes: list[str] = []
        self.broken_off = self.is_partial = False
        self._is_ordinal = False
        self._shown: list[float] = []
        self._keys: list[float] = []
        self._discarded = self._checked = self._damaged = 0
        self._audio_seconds = 0.0
        self._audio_start: float | None = None

    def run(self, container: Any) -> None:
        self._is_ordinal = container.format.name == "avi"
        streams = [stream for stream in (self.video, self.audio) if stream is not None]
        try:
            for packet in container.demux(streams):
                # Empty packets are AVI's dropped frames, and PyAV's own end mark.
                if packet.size and not self._take(packet):
                    break
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            self.broken_off = True
            self.notes.append(f"reading stopped early ({describe(error)})")
        self._check(None)

    def _take(self, packet: Any) -> bool:
        stamp = packet.dts if packet.pts is None or self._is_ordinal else packet.pts
        step = float(packet.duration * packet.time_base) if packet.duration else 0.0
        if stamp is None:
            if self.audio is not None and packet.stream_index == self.audio.index:
                self._audio_seconds += step
            return True
        seconds = float(stamp * packet.time_base) - self.origin
        if seconds > self.limits.duration_seconds_max:
            self.is_partial = True
            self.notes.append(f"read up to {self.limits.duration_seconds_max:g} s; the rest is not")
            return False
        if self.video is not None and packet.stream_index == self.video.index:
            if packet.is_discard:
                self._discarded += 1
            else:
                self._shown.append(seconds)
            if packet.is_keyframe:
                if not self._keys or seconds >= self._keys[-1] + 1.0:
                    self._check(packet)
                self._keys.append(seconds)
        else:
            if self._audio_start is None:
                self._audio_start = seconds
            self._audio_seconds += step
        return True

    def _check(self, packet: Any) -> None:
        if self.video is None or (packet is not None and self._checked >= _KEY_PICTURES_MAX):
            return
        self._checked += packet is not None
        try:
            frames = self.video.codec_context.decode(packet)
            self._damaged += sum(frame.is_corrupt for frame in frames)
        except av.error.FFmpegError:
            self._damaged += 1

    def video_scan(self) -> VideoScan | None:
        if self.video is None or not self._shown:
            return None
        shown = np.sort(np.asarray(self._shown, dtype=np.float64))
        rate = self.video.average_rate
        step = float(1 / rate) if rate else 0.0
        if len(shown) > 1 and not 0.0 < step < 60.0:
            step = float((shown[-1] - shown[0]) / (len(shown) - 1))
        context = self.video.codec_context
        return VideoScan(
            index=self.video.index,
            codec=codec_name(self.video),
            width=context.width,
            height=context.height,
            timestamps_F=shown,
            keyframe_seconds=np.sort(np.asarray(self._keys, dtype=np.float64)),
            frame_seconds=step,
            discarded=self._discarded,
            is_ordinal=self._is_ordinal,
            is_partial=self.is_partial,
            checked=self._checked,
            damaged=self._damaged,
        )

    def audio_scan(self) -> AudioScan | None:
        if self.audio is None or self._audio_seconds <= 0.0:
            return None
        context = self.audio.codec_context
        return AudioScan(
            index=self.audio.index,
            codec=codec_name(self.audio),
            sample_rate_hz=context.sample_rate,
            channels=context.channels,
            start_seconds=self._audio_start or 0.0,
            packet_seconds=self._audio_seconds,
        )


def codec_name(stream: Any) -> str:
    """FFmpeg's name of the codec (h264), not of the library that decodes it."""
    context = stream.codec_context
    if context is None:
        return ""
    return str(getattr(context.codec, "canonical_name", context.name))
