"""A guarded first look: what the header claims, and what the packets show.

The scan reads every packet of the two streams that matter but decodes key pictures only
(at most one a second), so that damage shows before a decoder that hides it is asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition

from encoders.base import ReadLimits
from encoders.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from encoders.readers.formats import (
    AUDIO_CODECS,
    HEAD_BYTES,
    VIDEO_CODECS,
    Format,
    id3_length,
    sniff,
)
from encoders.readers.integrity import missing_bytes
from encoders.types import SecondsArray, StreamInfo

DAMAGED_SHARE_MAX = 0.05
ENDS_EARLY_SHARE = 0.9
_KEY_PICTURES_MAX = 64
_TAGS_MAX = 64
_TAG_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class VideoScan:
    """timestamps_F: presentation seconds of the packets to be shown, ascending, from 0.

    keyframe_seconds: where decoding can start. discarded: packets the container hides.
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


@dataclass(frozen=True, slots=True)
class Scan:
    """All that is known of an audio-visual file before its content is decoded."""

    format: Format
    size_bytes: int
    origin_seconds: float
    claimed: tuple[StreamInfo, ...]
    claimed_seconds: float | None
    tags: Mapping[str, str]
    video: VideoScan | None
    audio: AudioScan | None
    missing_bytes: int
    broken_off: bool
    notes: tuple[str, ...]


def identify(path: str) -> tuple[Format, int]:
    """The format of the bytes at `path`, and how many there are.

    Raises:
        UnsupportedMedia: nothing on the allow-list starts like this.
    """
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
        skip = id3_length(head)
        past = b""
        if skip:
            file.seek(skip)
            past = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
    form = sniff(head, past)
    if form is None:
        raise UnsupportedMedia(
            f"the file starts with {head[:12]!r}",
            expected="a picture, sound or video format (by content; the suffix does not matter)",
            remedy="Convert it to MP4, WAV, JPEG or PNG.",
        )
    return form, size


def clean_tags(raw: Mapping[str, Any]) -> dict[str, str]:
    """Container or EXIF tags as short printable strings: they are whatever a stranger wrote."""
    tags: dict[str, str] = {}
    for key, value in list(raw.items())[:_TAGS_MAX]:
        text = "".join(c for c in str(value)[:_TAG_CHARACTERS_MAX] if c.isprintable()).strip()
        name = "".join(c for c in str(key)[:64] if c.isprintable()).strip()
        if text and name:
            tags[name] = text
    return tags


@contextmanager
def guarded(path: str, form: Format, limits: ReadLimits) -> Iterator[Any]:
    """Open with PyAV: one demuxer, local files only, no picture beyond `limits.pixels_max`.

    Raises:
        CorruptMedia: the header cannot be read.
        UnsupportedMedia: there is no decoder for any of its streams.
    """
    av.logging.set_level(None)
    options = {"max_pixels": str(limits.pixels_max), "protocol_whitelist": "file"}
    try:
        container = av.open(path, format=form.demuxer, options=options, metadata_errors="replace")
    except MemoryError:
        raise  # PyAV's is an FFmpegError too, but says nothing of the file
    except (av.error.FFmpegError, UnicodeError, ValueError) as error:
        raise CorruptMedia(
            f"the {form.name} header cannot be read ({describe(error)})",
            expected="a complete file",
            remedy="Fetch the file again, or ask for the original.",
        ) from error
    try:
        for stream in container.streams:
            if stream.type in ("video", "audio") and stream.codec_context is not None:
                stream.codec_context.options = {"max_pixels": str(limits.pixels_max)}
                stream.codec_context.thread_count = 1
        yield container
    finally:
        container.close()


def describe(error: BaseException) -> str:
    """One line about a decoder's exception, without the paths that FFmpeg puts into it."""
    return str(getattr(error, "strerror", None) or error).splitlines()[0][:160]


def scan(path: str, form: Format, size_bytes: int, limits: ReadLimits) -> Scan:
    """Walk the packets of `path`.

    Raises:
        LimitExceeded: a picture is larger than `limits.pixels_max`.
        CorruptMedia: nothing can be read, or the file was cut off far from its claimed end.
        UnsupportedMedia: no stream has a codec on the allow-list.
    """
    with guarded(path, form, limits) as container:
        notes: list[str] = []
        video, audio = _pick(container, limits, notes)
        claimed = tuple(_claims(stream) for stream in container.streams)
        start = container.start_time
        origin = 0.0 if start is None else start / av.time_base
        seconds = None if container.duration is None else container.duration / av.time_base
        walk = _Walk(video, audio, origin, limits)
        walk.run(container)
        notes += walk.notes
        lost = missing_bytes(path, form.demuxer)
        tags = dict(container.metadata)
        for stream in container.streams:
            tags.update({f"{stream.type}.{k}": v for k, v in stream.metadata.items()})
        result = Scan(
            format=form,
            size_bytes=size_bytes,
            origin_seconds=origin,
            claimed=claimed,
            claimed_seconds=seconds,
            tags=clean_tags(tags),
            video=walk.video_scan(),
            audio=walk.audio_scan(),
            missing_bytes=lost,
            broken_off=walk.broken_off,
            notes=tuple(notes),
        )
    _refuse_cut_off(result)
    return result


def _pick(container: Any, limits: ReadLimits, notes: list[str]) -> tuple[Any, Any]:
    """The first video and the first audio stream with an allowed codec."""
    picked: dict[str, Any] = {}
    refused = []
    for stream in container.streams:
        kind = stream.type
        if kind not in ("video", "audio") or kind in picked:
            continue
        if kind == "video" and stream.disposition & Disposition.attached_pic:
            continue
        codec = "" if stream.codec_context is None else stream.codec_context.name
        name = codec_name(stream)
        if not {codec, name} & (VIDEO_CODECS if kind == "video" else AUDIO_CODECS):
            refused.append(f"{kind} codec {name or 'unknown'}")
            continue
        picked[kind] = stream
    video, audio = picked.get("video"), picked.get("audio")
    if video is None and audio is None:
        raise UnsupportedMedia(
            f"a {container.format.name} file with {', '.join(refused) or 'no media stream'}",
            expected="at least one picture or sound stream with a common codec",
            remedy="Convert it to H.264 and AAC.",
        )
    notes += [f"{text} was not decoded" for text in refused]
    if video is not None:
        width, height = video.codec_context.width, video.codec_context.height
        # Under the guard FFmpeg leaves the size at 0 rather than report one beyond it.
        if width * height > limits.pixels_max or not width or not height:
            found = f"{width}x{height}" if width else "larger than allowed, or unreadable"
            raise LimitExceeded(
                "pixels",
                f"the picture is {found}",
                expected=f"at most {limits.pixels_max} pixels",
                remedy="Scale the video down, or raise the limit on pixels.",
            )
    return video, audio


def codec_name(stream: Any) -> str:
    """FFmpeg's name of the codec (h264), not of the library that decodes it."""
    context = stream.codec_context
    if context is None:
        return ""
    return str(getattr(context.codec, "canonical_name", context.name))


def _claims(stream: Any) -> StreamInfo:
    context = stream.codec_context
    duration = None
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    if stream.type == "video" and context is not None:
        rate = stream.average_rate
        return StreamInfo(
            kind="video",
            codec=codec_name(stream),
            width=context.width or None,
            height=context.height or None,
            frames=stream.frames or None,
            frames_per_second=float(rate) if rate else None,
            duration_seconds=duration,
        )
    if stream.type == "audio" and context is not None:
        return StreamInfo(
            kind="audio",
            codec=codec_name(stream),
            duration_seconds=duration,
            sample_rate_hz=context.sample_rate or None,
            channels=context.channels or None,
        )
    return StreamInfo(kind=stream.type, codec=codec_name(stream), duration_seconds=duration)


class _Walk:
    """One pass over the packets; mutable, and gone when the scan is done."""

    def __init__(self, video: Any, audio: Any, origin: float, limits: ReadLimits) -> None:
        self.video, self.audio = video, audio
        self.origin, self.limits = origin, limits
        self.notes: list[str] = []
        self.broken_off = False
        self._shown: list[float] = []
        self._keys: list[float] = []
        self._discarded = self._checked = self._damaged = 0
        self._audio_seconds = 0.0
        self._audio_start: float | None = None

    def run(self, container: Any) -> None:
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
        stamp = packet.pts if packet.pts is not None else packet.dts
        step = float(packet.duration * packet.time_base) if packet.duration else 0.0
        if stamp is None:
            if self.audio is not None and packet.stream_index == self.audio.index:
                self._audio_seconds += step
            return True
        seconds = float(stamp * packet.time_base) - self.origin
        if seconds > self.limits.duration_seconds_max:
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


def _refuse_cut_off(found: Scan) -> None:
    reached = 0.0
    if found.video is not None:
        reached = float(found.video.timestamps_F[-1]) + found.video.frame_seconds
    if found.audio is not None:
        reached = max(reached, found.audio.start_seconds + found.audio.packet_seconds)
    if reached <= 0.0:
        raise CorruptMedia(
            f"the {found.format.name} file holds no packet that can be read",
            expected="at least one picture or sound packet",
            remedy="Fetch the file again, or ask for the original.",
        )
    claim = found.claimed_seconds
    is_short = claim is not None and reached < ENDS_EARLY_SHARE * claim
    if (found.missing_bytes or found.broken_off) and is_short:
        raise CorruptMedia(
            f"the file ends after {reached:.2f} of {claim:.2f} s"
            + (f", {found.missing_bytes} bytes are missing" if found.missing_bytes else ""),
            expected="a complete file",
            remedy="Fetch the file again, or ask for the original.",
        )
