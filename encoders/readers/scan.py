"""A guarded first look: what the header claims, and what the packets show.

The scan reads every packet of the two streams that matter but decodes key pictures only
(at most one a second), so that damage shows before a decoder that hides it is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import av
from av.stream import Disposition

from encoders.base import ReadLimits
from encoders.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from encoders.formats import AUDIO_CODECS, VIDEO_CODECS, Format
from encoders.readers.integrity import header_seconds, missing_bytes
from encoders.readers.opening import clean_tags, guarded
from encoders.readers.packets import AudioScan, VideoScan, Walk, codec_name
from encoders.types import StreamInfo

DAMAGED_SHARE_MAX = 0.05
ENDS_EARLY_SHARE = 0.9
# A movie header that states more than twice what is there lies, or the rest is lost.
STATED_SECONDS_RATIO_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Scan:
    """All that is known of an audio-visual file before its content is decoded.

    other_streams: those beside `video` and `audio`, in words; timecodes and the like left out.
    """

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
    other_streams: tuple[str, ...]
    notes: tuple[str, ...]


def scan(path: str, form: Format, size_bytes: int, limits: ReadLimits) -> Scan:
    """Walk the packets of `path`.

    Raises:
        LimitExceeded: a picture is larger than `limits.pixels_max`.
        CorruptMedia: nothing can be read, or the file ends far from where it says it does.
        UnsupportedMedia: no stream has a codec on the allow-list.
    """
    with guarded(path, form, limits) as container:
        notes: list[str] = []
        video, audio = _pick(container, limits, notes)
        others = [s for s in container.streams if s not in (video, audio) and s.type != "data"]
        extra = sum(other.type in ("video", "audio") for other in others)
        notes += [f"{extra} more streams of picture or sound were not looked at"] if extra else []
        claimed = tuple(_claims(stream) for stream in container.streams)
        start = container.start_time
        origin = 0.0 if start is None else start / av.time_base
        stated = header_seconds(path, form.demuxer)
        seconds = stated
        if seconds is None and container.duration is not None:
            seconds = container.duration / av.time_base
        walk = Walk(video, audio, origin, limits)
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
            other_streams=tuple(f"{other.type} {codec_name(other)}".strip() for other in others),
            notes=tuple(notes),
        )
    _refuse_cut_off(result, stated_seconds=None if walk.is_partial else stated)
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


def _refuse_cut_off(found: Scan, *, stated_seconds: float | None) -> None:
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
    # A container counts from zero, whatever its first time stamp is.
    reached += max(0.0, found.origin_seconds)
    is_short = claim is not None and reached < ENDS_EARLY_SHARE * claim
    if found.format.demuxer == "wav":
        # FFmpeg takes the duration from the bytes that are there; sound here is bytes.
        promised = found.size_bytes + found.missing_bytes
        is_short = is_short or found.size_bytes < ENDS_EARLY_SHARE * promised
    is_lie = stated_seconds is not None and stated_seconds > STATED_SECONDS_RATIO_MAX * reached
    if is_lie or ((found.missing_bytes or found.broken_off) and is_short):
        raise CorruptMedia(
            f"the file ends after {reached:.2f} s"
            + (f" of {claim:.2f} s" if claim else "")
            + (f", {found.missing_bytes} bytes are missing" if found.missing_bytes else ""),
            expected="a complete file",
            remedy="Fetch the file again, or ask for the original.",
        )
