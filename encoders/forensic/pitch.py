"""Pitch and its small irregularities.

Sources: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993 (autocorrelation divided
by the window's); jitter and shimmer against synthesis: K. Li et al., "Contributions of Jitter
and Shimmer in the Voice for Fake Audio Detection", IEEE Access 2023. They are measured between
frames 10 ms apart here, not between glottal periods.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from encoders.forensic.audio_windows import HOP, RATE_HZ, AudioReading, ShortTime

_FRAME = 320
_LAG_MIN, _LAG_MAX = RATE_HZ // 400, RATE_HZ // 65
_HANN = np.hanning(_FRAME + 2)[1:-1].astype(np.float32)
_SIZE = 512
_WINDOW_CORRELATION = fft.irfft(np.abs(fft.rfft(_HANN, 2 * _SIZE)) ** 2)[: _LAG_MAX + 2]


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """Of Hann-windowed frames of 40 ms, 10 ms apart, each (M,).

    hertz: 65 to 400. strength: of voicing, [0, 1]. level_db: of the frame, arbitrary zero.
    """

    hertz_M: npt.NDArray[np.float64]
    strength_M: npt.NDArray[np.float64]
    level_db_M: npt.NDArray[np.float64]


def track(short: ShortTime) -> PitchTrack:
    """Pitch by normalised autocorrelation."""
    count = len(short.level_M)
    padded = np.pad(
        short.waveform_T, (0, max(0, (count - 1) * HOP + _FRAME - short.waveform_T.size))
    )
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::HOP][:count]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * _HANN
    # Lags up to 123 of 320 samples: 512 points are enough to keep the correlation linear.
    spectrum = fft.rfft(frames, _SIZE, axis=1)
    correlation = fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, : _LAG_MAX + 2]
    energy = correlation[:, :1]
    normal = (
        correlation
        / np.maximum(energy, 1e-9)
        * (_WINDOW_CORRELATION[0] / _WINDOW_CORRELATION).astype(np.float32)
    )
    # A small slope prefers the shortest of the lags that fit equally well.
    preferred = normal[:, _LAG_MIN : _LAG_MAX + 1] - 0.001 * np.arange(_LAG_MAX - _LAG_MIN + 1)
    lag = preferred.argmax(axis=1) + _LAG_MIN
    rows = np.arange(count)
    left, centre, right = (normal[rows, lag + shift].astype(np.float64) for shift in (-1, 0, 1))
    bend = left - 2 * centre + right
    offset = np.where(bend < -1e-6, (left - right) / np.minimum(2 * bend, -1e-6), 0.0)
    pitch_M = RATE_HZ / (lag + np.clip(offset, -0.5, 0.5))
    strength_M = np.where(energy[:, 0] > 1e-6, np.clip(centre, 0, 0.999), 0.0)
    return PitchTrack(pitch_M, strength_M, 10 * np.log10(energy[:, 0].astype(np.float64) + 1e-9))


def read_pitch(short: ShortTime) -> AudioReading:
    """Pitch, voicing, jitter and shimmer in each quarter second."""
    found = track(short)
    pitch_M, strength_M, level = found.hertz_M, found.strength_M, found.level_db_M
    voiced = (strength_M > 0.6) & short.active_M
    period_M = RATE_HZ / pitch_M
    both = np.zeros(len(voiced), bool)
    both[1:-1] = voiced[:-2] & voiced[1:-1] & voiced[2:]
    bend = np.zeros(len(voiced))
    bend[1:-1] = np.abs(period_M[:-2] + period_M[2:] - 2 * period_M[1:-1]) / period_M[1:-1]
    # Larger bends are octave errors or new syllables, not jitter.
    both &= bend < 0.1
    wobble = np.zeros(len(voiced))
    wobble[1:-1] = np.abs(level[:-2] + level[2:] - 2 * level[1:-1])
    clarity_M = 10 * np.log10((strength_M + 0.01) / (1 - strength_M + 0.01))

    def over(
        values_M: npt.NDArray[np.float64], mask_M: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        hits = short.mean_N(mask_M.astype(np.float64))
        return np.where(hits > 0, short.mean_N(values_M * mask_M) / np.maximum(hits, 1e-9), 0.0)

    log_pitch = np.log2(pitch_M / 120)
    mean_N = over(log_pitch, voiced)
    features = {
        "voiced": short.mean_N(voiced.astype(np.float64)),
        "pitch": mean_N,
        "pitch_std": np.sqrt(np.maximum(over(log_pitch**2, voiced) - mean_N**2, 0)),
        "clarity": over(clarity_M, voiced),
        "jitter": np.log(over(bend, both) + 1e-3),
        "shimmer": over(wobble, both),
        "strength": short.mean_N(strength_M),
    }
    enough = int(both.sum()) >= 10
    values = {}
    if enough:
        values = {
            "audio.jitter": float(100 * bend[both].mean()),
            "audio.shimmer": float(wobble[both].mean()),
            "audio.harmonic_clarity": float(clarity_M[both].mean()),
        }
    local = {
        "audio.jitter": -np.where(short.mean_N(both.astype(float)) > 0.3, features["jitter"], 9.0),
        "audio.shimmer": -np.where(
            short.mean_N(both.astype(float)) > 0.3, features["shimmer"], 99.0
        ),
        "audio.harmonic_clarity": features["clarity"],
    }
    return AudioReading(features, values, local)
