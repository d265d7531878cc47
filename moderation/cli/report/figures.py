"""Pictures of the report as data URIs and paths: frames, heat maps, waveform, spectrogram."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from encoders.types import AudioSamples, ByteArray, FloatArray, FrameBatch, Signal

if TYPE_CHECKING:
    from PIL import Image

FRAMES_SHOWN = 32
_THUMBNAIL_SIDE = 480
_SINGLE_SIDE = 1024
_HEAT_SIDE = 256
_FFT_SAMPLES = 512
_COLUMNS_MAX = 1000
_SPECTROGRAM_HEIGHT = 200
_FLOOR_DB = -80.0

# Magenta: rare in photographs, and told from them with every common colour vision.
_HEAT_RGB = (214, 0, 122)

# Black over purple and orange to pale yellow, even steps of lightness.
_LEVELS_RGB = (
    (0, 0, 4),
    (28, 16, 68),
    (79, 18, 123),
    (129, 37, 129),
    (181, 54, 122),
    (229, 80, 100),
    (251, 135, 97),
    (254, 194, 135),
    (252, 253, 191),
)


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
    `frequency_hz_max`; levels from `_FLOOR_DB` below the loudest point.
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
                Overlay(signal.name, _heat_png(signal.heat_map_HW))
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
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels_HWC))
    image.thumbnail((side, side))
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=85)
    return FramePicture(
        seconds, image.width, image.height, _uri("image/jpeg", sink.getvalue()), overlays
    )


def _heat_png(heat_HW: FloatArray) -> str:
    from PIL import Image

    alpha = (np.clip(np.nan_to_num(heat_HW), 0.0, 1.0) * 255).astype(np.uint8)
    mask = Image.fromarray(alpha)
    mask.thumbnail((_HEAT_SIDE, _HEAT_SIDE))
    image = Image.new("RGB", mask.size, _HEAT_RGB)
    image.putalpha(mask)
    return _png_uri(image)


def sound_picture(audio: AudioSamples) -> SoundPicture:
    """Waveform and spectrogram of `audio`."""
    nyquist = audio.sample_rate_hz / 2
    ceiling = audio.source_sample_rate_hz / 2
    return SoundPicture(
        seconds=audio.duration_seconds,
        waveform=waveform_path(audio.waveform_T),
        spectrogram=_spectrogram_png(spectrogram_db(audio.waveform_T)),
        frequency_hz_max=nyquist,
        source_limit=1 - ceiling / nyquist if ceiling < 0.98 * nyquist else None,
    )


def waveform_path(waveform_T: FloatArray, bins: int = 500) -> str:
    """The envelope as a closed SVG path, 1000 wide, 100 high, scaled to the loudest sample."""
    edges = np.linspace(0, waveform_T.size, min(bins, waveform_T.size) + 1).astype(int)
    highest = np.maximum.reduceat(waveform_T, edges[:-1])
    lowest = np.minimum.reduceat(waveform_T, edges[:-1])
    peak = max(float(np.abs(waveform_T).max()), 1e-9)
    x = np.linspace(0, 1000, highest.size)
    # Half a unit apart, so that silence is still a line.
    upper = [f"{a:.1f},{49.5 - 48 * b / peak:.1f}" for a, b in zip(x, highest, strict=True)]
    lower = [f"{a:.1f},{50.5 - 48 * b / peak:.1f}" for a, b in zip(x, lowest, strict=True)]
    return f"M{' L'.join(upper + lower[::-1])} Z"


def spectrogram_db(waveform_T: FloatArray) -> FloatArray:
    """Power of Hann windows of 512 samples, (257, columns), in dB below the loudest, >= -80."""
    padded = np.pad(waveform_T, (0, max(0, _FFT_SAMPLES - waveform_T.size)))
    hop = max(_FFT_SAMPLES // 4, -(-(padded.size - _FFT_SAMPLES) // _COLUMNS_MAX))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::hop]
    power = np.abs(np.fft.rfft(windows * np.hanning(_FFT_SAMPLES), axis=1)).T ** 2
    level = 10 * np.log10(np.maximum(power, 1e-12) / max(float(power.max()), 1e-12))
    clipped: FloatArray = np.maximum(level, _FLOOR_DB).astype(np.float32)
    return clipped


def _spectrogram_png(level_db: FloatArray) -> str:
    from PIL import Image

    # A silent recording is 0 dB below itself everywhere, but it is silence all the same.
    is_flat = float(level_db.max() - level_db.min()) < 1e-6
    share = np.zeros_like(level_db) if is_flat else 1 - level_db / _FLOOR_DB
    image = Image.fromarray((share[::-1] * 255).astype(np.uint8))
    width = min(_COLUMNS_MAX, max(level_db.shape[1], 300))
    image = image.resize((width, _SPECTROGRAM_HEIGHT))
    stops = np.linspace(0, 255, len(_LEVELS_RGB))
    channels = [
        np.interp(np.arange(256), stops, channel) for channel in zip(*_LEVELS_RGB, strict=True)
    ]
    image.putpalette(np.stack(channels, axis=1).astype(np.uint8).tobytes())
    return _png_uri(image)


def _png_uri(image: "Image.Image") -> str:
    sink = io.BytesIO()
    image.save(sink, "PNG", optimize=True)
    return _uri("image/png", sink.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
