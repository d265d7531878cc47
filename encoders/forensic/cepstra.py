"""Linear-frequency cepstra with their first and second time derivatives.

Source: M. Sahidullah, T. Kinnunen, C. Hanilci, "A Comparison of Features for Synthetic Speech
Detection", Interspeech 2015 (LFCC, delta, double delta); the baseline of ASVspoof.
"""

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from encoders.forensic.audio_windows import AudioReading, ShortTime, active_mean
from encoders.types import FloatArray

COEFFICIENTS = 20
FILTERS = 20
_DELTA = np.arange(2, -3, -1, dtype=np.float32)[:, None] / 10


def filter_bank(frequency_B: FloatArray, band_top_hz: float) -> FloatArray:
    """Triangular filters, evenly spaced from 60 Hz to the band's top, (B, FILTERS)."""
    edges = np.linspace(60.0, band_top_hz, FILTERS + 2)
    rising = (frequency_B[:, None] - edges[None, :-2]) / (edges[1] - edges[0])
    falling = (edges[None, 2:] - frequency_B[:, None]) / (edges[1] - edges[0])
    bank: FloatArray = np.clip(np.minimum(rising, falling), 0, 1).astype(np.float32)
    return bank


def lfcc(short: ShortTime) -> FloatArray:
    """Cepstra (M, 20). The zeroth is relative to its median over active frames (no gain)."""
    energy = short.power_MB @ filter_bank(short.frequency_B, short.band_top_hz)
    cepstra: FloatArray = fft.dct(np.log(energy + np.float32(1e-8)), norm="ortho", axis=1)
    reference = np.median(cepstra[short.active_M, 0]) if np.any(short.active_M) else 0
    cepstra[:, 0] -= reference
    return cepstra


def delta(values_MK: FloatArray) -> FloatArray:
    """Regression slope over five frames, edges continued, same shape."""
    padded = np.pad(values_MK, ((2, 2), (0, 0)), mode="edge")
    slope: FloatArray = signal.convolve(padded, _DELTA, mode="valid", method="direct")
    return slope.astype(np.float32)


def read_cepstra(short: ShortTime) -> AudioReading:
    """Mean and deviation of each cepstrum and derivative in each quarter second (120 features)."""
    static = lfcc(short)
    first = delta(static)
    second = delta(first)
    features: dict[str, npt.NDArray[np.float64]] = {}
    for name, values in (("lfcc", static), ("delta", first), ("delta2", second)):
        mean_NK, std_NK = short.mean_N(values), short.std_N(values)
        for k in range(COEFFICIENTS):
            features[f"{name}_{k:02d}_mean"] = mean_NK[:, k]
            features[f"{name}_{k:02d}_std"] = std_NK[:, k]
    # Movement of the upper cepstra: fine spectral detail, which smoothed synthesis lacks.
    movement_M = np.sqrt((second[:, 8:] ** 2).mean(axis=1))
    value = active_mean(movement_M, short.active_M)
    return AudioReading(
        features,
        {"audio.cepstral_movement": value},
        {"audio.cepstral_movement": -short.mean_N(movement_M)},
    )
