"""Puts header and content side by side."""

from encoders.errors import NoUsableMedia
from encoders.readers.scan import Scan
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    FrameBatch,
    MediaMetadata,
    Modality,
    StreamInfo,
)

_TOLERANCE = 0.02


def media_from(
    found: Scan,
    *,
    reader: str,
    frames: FrameBatch | None,
    audio: AudioSamples | None,
    frame_count: int | None,
    video_seconds: float | None,
    notes: tuple[str, ...],
) -> DecodedMedia:
    """One audio-visual file as decoded; `sha256` is left to the parent of the sandbox.

    frame_count, video_seconds: of the pictures that can be shown, if there are any.

    Raises:
        NoUsableMedia: no picture, and no sound but digital silence.
    """
    if frames is None and (audio is None or not audio.waveform_T.any()):
        raise NoUsableMedia(
            "no picture, and no sound but digital silence",
            expected="a picture or audible sound",
            remedy="There is nothing to score in this file.",
        )
    observed = []
    if found.video is not None and frames is not None:
        observed.append(
            StreamInfo(
                kind="video",
                codec=found.video.codec,
                width=frames.source_width,
                height=frames.source_height,
                frames=frame_count,
                frames_per_second=1.0 / found.video.frame_seconds
                if found.video.frame_seconds > 0.0
                else None,
                duration_seconds=video_seconds,
            )
        )
    audio_seconds = None
    if found.audio is not None and audio is not None:
        audio_seconds = found.audio.start_seconds + found.audio.packet_seconds
        observed.append(
            StreamInfo(
                kind="audio",
                codec=found.audio.codec,
                duration_seconds=audio_seconds,
                sample_rate_hz=found.audio.sample_rate_hz,
                channels=found.audio.channels,
            )
        )
    if audio is not None and audio_seconds and audio.duration_seconds < audio_seconds - 1.0:
        notes = (*notes, f"sound after {audio.duration_seconds:g} s was not read")
    duration = max(video_seconds or 0.0, audio_seconds or 0.0)
    return DecodedMedia(
        metadata=MediaMetadata(
            container=found.format.name,
            size_bytes=found.size_bytes,
            sha256="",
            claimed=found.claimed,
            observed=tuple(observed),
            reader=reader,
            tags=found.tags,
            notes=(*found.notes, *notes, *_differences(found, observed, duration)),
        ),
        modality=Modality.VIDEO if frames is not None else Modality.AUDIO,
        duration_seconds=duration,
        frames=frames,
        audio=audio,
    )


def _differences(found: Scan, observed: list[StreamInfo], duration: float) -> list[str]:
    notes = []
    if found.missing_bytes:
        notes.append(f"the last {found.missing_bytes} bytes are missing")
    claim = found.claimed_seconds
    if claim is not None and abs(claim - duration) > max(0.25, _TOLERANCE * duration):
        notes.append(f"the header claims {claim:.2f} s; the content lasts {duration:.2f} s")
    for seen in observed:
        said = next((c for c in found.claimed if c.kind == seen.kind), None)
        if said is None:
            continue
        if said.frames and seen.frames and said.frames > seen.frames * (1 + _TOLERANCE):
            notes.append(f"the header claims {said.frames} frames; {seen.frames} can be shown")
        if said.duration_seconds and seen.duration_seconds:
            gap = abs(said.duration_seconds - seen.duration_seconds)
            if gap > max(0.25, _TOLERANCE * seen.duration_seconds):
                notes.append(
                    f"the {seen.kind} stream claims {said.duration_seconds:.2f} s; "
                    f"it lasts {seen.duration_seconds:.2f} s"
                )
    return notes
