"""What can be seen and heard of a file in a report, decoded in the sandbox."""

import base64
import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from encoders.base import ReadRequest
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import AudioSamples, DecodedMedia, Modality
from moderation.cli.chapters.section import Card
from moderation.cli.report.figures import frame_pictures, waveform_path
from moderation.errors import TypedError

FRAMES = 3
SOUND_SECONDS = 20.0
_BIT_RATE = 48_000
_REQUEST = ReadRequest(
    sampling=Uniform(frames_max=FRAMES, rate_hz=4.0), audio_seconds_max=SOUND_SECONDS
)


def card(path: Path, title: str, facts: str, sandbox: Sandbox) -> Card:
    """The file with its frames and sound, or with the reason why it cannot be shown."""
    try:
        media = sandbox.read(path, _REQUEST)
    except TypedError as error:
        return Card(title, facts, note=f"Cannot be shown ({error.code}): {error.found}")
    return Card(title, facts, *_shown(media))


def _shown(media: DecodedMedia) -> tuple[tuple[str, ...], str, str]:
    frames: tuple[str, ...] = ()
    if media.frames is not None:
        frames = tuple(picture.source for picture in frame_pictures(media.frames, ()))
    if media.audio is None or media.modality is Modality.IMAGE:
        return frames, "", ""
    return frames, waveform_path(media.audio.waveform_T, 250), mp3_uri(media.audio)


def mp3_uri(audio: AudioSamples) -> str:
    """The samples as MP3, mono, in a data URI: every browser plays it."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=audio.sample_rate_hz, layout="mono")
        stream.bit_rate = _BIT_RATE
        level_T = (np.clip(audio.waveform_T, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(level_T[None], format="s16", layout="mono")
        frame.sample_rate = audio.sample_rate_hz
        frame.pts, frame.time_base = 0, Fraction(1, audio.sample_rate_hz)
        resampler = av.AudioResampler("s16p", "mono", audio.sample_rate_hz, stream.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return f"data:audio/mpeg;base64,{base64.b64encode(sink.getvalue()).decode('ascii')}"
