"""Pictures of the report as data URIs and paths: frames, heat maps, waveform, spectrogram."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoders.types import AudioSamples, ByteArray, FloatArray, FrameBatch, Signal
from moderation.materials.pictures import frame_jpeg, heat_png
from moderation.materials.sound import peaks, spectrogram_db, spectrogram_png

FRAMES_SHOWN = 32
_THUMBNAIL_SIDE = 480
_SINGLE_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Overlay:
    """One signal's heat map over a frame; `source` is a PNG whose opacity is the heat."""

    signal: str
    source: str


@dataclass(frozen=True, slots=True)
class FramePicture:
    """One frame, reduced for the page, with the heat maps that belong to it."""

    seconds: float
    width: int
    height: int
    source: str
    overlays: tuple[Overlay, ...]


@dataclass(frozen=True, slots=True)
class SoundPicture:
    """Waveform and spectrogram over the same time axis.

    waveform: an SVG path in a box 0..1000 wide and 0..100 high. spectrogram: a PNG, top is
    `frequency_hz_max`; levels from `FLOOR_DB` below the loudest point.
    source_limit: share of the height (from the top) at which the file's own rate ends, or None.
    """

    seconds: float
    waveform: str
    spectrogram: str
    frequency_hz_max: float
    source_limit: float | None


def frame_pictures(frames: FrameBatch, signals: Sequence[Signal]) -> tuple[FramePicture, ...]:
    """At most `FRAMES_SHOWN` frames, evenly chosen but for those that a heat map belongs to."""
    times = frames.timestamps_seconds_F
    overlays: dict[int, list[Overlay]] = {}
    for signal in signals:
        if signal.heat_map_HW is not None:
            nearest = int(np.argmin(np.abs(times - signal.span.start_seconds)))
            overlays.setdefault(nearest, []).append(
                Overlay(signal.name, _uri("image/png", heat_png(signal.heat_map_HW)))
            )
    chosen = sorted(overlays)[:FRAMES_SHOWN]
    others = [i for i in range(len(times)) if i not in overlays]
    room = min(FRAMES_SHOWN - len(chosen), len(others))
    if room:
        chosen += [others[i] for i in np.linspace(0, len(others) - 1, room).round().astype(int)]
    side = _SINGLE_SIDE if len(times) == 1 else _THUMBNAIL_SIDE
    return tuple(
        _frame_picture(frames.pixels_FHWC[i], float(times[i]), side, tuple(overlays.get(i, ())))
        for i in sorted(chosen)
    )


def _frame_picture(
    pixels_HWC: ByteArray, seconds: float, side: int, overlays: tuple[Overlay, ...]
) -> FramePicture:
    shown = frame_jpeg(pixels_HWC, side)
    return FramePicture(
        seconds, shown.width, shown.height, _uri("image/jpeg", shown.content), overlays
    )


def sound_picture(audio: AudioSamples) -> SoundPicture:
    """Waveform and spectrogram of `audio`."""
    nyquist = audio.sample_rate_hz / 2
    ceiling = audio.source_sample_rate_hz / 2
    return SoundPicture(
        seconds=audio.duration_seconds,
        waveform=waveform_path(audio.waveform_T),
        spectrogram=_uri("image/png", spectrogram_png(spectrogram_db(audio.waveform_T))),
        frequency_hz_max=nyquist,
        source_limit=1 - ceiling / nyquist if ceiling < 0.98 * nyquist else None,
    )


def waveform_path(waveform_T: FloatArray, bins: int = 500) -> str:
    """The envelope as a closed SVG path, 1000 wide, 100 high, scaled to the loudest sample."""
    found = peaks(waveform_T, bins)
    highest, lowest = found.highest_B, found.lowest_B
    peak = max(float(np.abs(waveform_T).max()), 1e-9)
    x = np.linspace(0, 1000, highest.size)
    # Half a unit apart, so that silence is still a line.
    upper = [f"{a:.1f},{49.5 - 48 * b / peak:.1f}" for a, b in zip(x, highest, strict=True)]
    lower = [f"{a:.1f},{50.5 - 48 * b / peak:.1f}" for a, b in zip(x, lowest, strict=True)]
    return f"M{' L'.join(upper + lower[::-1])} Z"


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
