"""Sound as it is drawn: peaks of the waveform, and a spectrogram."""

from dataclasses import dataclass

import numpy as np

from encoders.types import FloatArray
from moderation.materials.pictures import png

FLOOR_DB = -80.0
_FFT_SAMPLES = 512
_COLUMNS_MAX = 1000
_COLUMNS_MIN = 300
_HEIGHT = 200

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
class Peaks:
    """Lowest and highest sample of each of B stretches of equal length, (B,) each, in [-1, 1]."""

    lowest_B: FloatArray
    highest_B: FloatArray


def peaks(waveform_T: FloatArray, buckets: int) -> Peaks:
    """Peaks in `buckets` stretches; one a sample where there are fewer samples."""
    edges = np.linspace(0, waveform_T.size, min(buckets, waveform_T.size) + 1).astype(int)
    return Peaks(
        np.minimum.reduceat(waveform_T, edges[:-1]), np.maximum.reduceat(waveform_T, edges[:-1])
    )


def spectrogram_db(waveform_T: FloatArray) -> FloatArray:
    """Power of Hann windows of 512 samples, (257, columns), in dB below the loudest, >= -80."""
    padded = np.pad(waveform_T, (0, max(0, _FFT_SAMPLES - waveform_T.size)))
    hop = max(_FFT_SAMPLES // 4, -(-(padded.size - _FFT_SAMPLES) // _COLUMNS_MAX))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::hop]
    power = np.abs(np.fft.rfft(windows * np.hanning(_FFT_SAMPLES), axis=1)).T ** 2
    level = 10 * np.log10(np.maximum(power, 1e-12) / max(float(power.max()), 1e-12))
    clipped: FloatArray = np.maximum(level, FLOOR_DB).astype(np.float32)
    return clipped


def spectrogram_png(level_db: FloatArray) -> bytes:
    """Levels of `spectrogram_db` as a PNG 200 high, the lowest frequency at the bottom."""
    from PIL import Image

    # A silent recording is 0 dB below itself everywhere, but it is silence all the same.
    is_flat = float(level_db.max() - level_db.min()) < 1e-6
    share = np.zeros_like(level_db) if is_flat else 1 - level_db / FLOOR_DB
    image = Image.fromarray((share[::-1] * 255).astype(np.uint8))
    image = image.resize((min(_COLUMNS_MAX, max(level_db.shape[1], _COLUMNS_MIN)), _HEIGHT))
    stops = np.linspace(0, 255, len(_LEVELS_RGB))
    channels = [
        np.interp(np.arange(256), stops, channel) for channel in zip(*_LEVELS_RGB, strict=True)
    ]
    image.putpalette(np.stack(channels, axis=1).astype(np.uint8).tobytes())
    return png(image)
