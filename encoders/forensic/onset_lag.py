"""Lag between what is heard and what is seen to move.

Source: J. Chung, A. Zisserman, "Out of time: automated lip sync in the wild", ACCV 2016 (offset
by the best match over lags), here with spectral onsets and motion energy in place of embeddings.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from encoders.forensic.audio_windows import HOP, RATE_HZ, ShortTime

LAG_MAX_SECONDS = 0.6
DURATION_MIN_SECONDS = 2.0
STEPS_MIN = 7
_HOP_SECONDS = HOP / RATE_HZ
_LAGS = np.arange(-60, 61) * _HOP_SECONDS


@dataclass(frozen=True, slots=True)
class OnsetLag:
    """lag_seconds: sound after picture is positive, within +-0.6.

    correlation: at that lag, [-1, 1]. agreement: at no lag. confidence: [0, 1], how far the
    best lag stands out from the others; a film in which nothing seen makes a sound has none.
    """

    lag_seconds: float
    correlation: float
    agreement: float
    confidence: float


def onset_strength(short: ShortTime) -> npt.NDArray[np.float64]:
    """Rise of the log spectrum from frame to frame, summed over the band, (M,)."""
    log_MB = np.log(short.power_MB[:, short.in_band_B] + np.float32(1e-5))
    rise = np.zeros(len(log_MB))
    rise[1:] = np.maximum(np.diff(log_MB, axis=0), 0).mean(axis=1, dtype=np.float64)
    return rise


def onset_lag(
    motion_F1: npt.NDArray[np.float64],
    timestamps_seconds_F: npt.NDArray[np.float64],
    onset_M: npt.NDArray[np.float64],
) -> OnsetLag | None:
    """Lag at which onset strength and motion energy agree best; None where it cannot be told.

    motion_F1: change between consecutive frames, (F - 1,). onset_M: every 10 ms.
    The onset curve is averaged over the interval of each pair of frames, shifted by each lag.
    """
    span = float(timestamps_seconds_F[-1] - timestamps_seconds_F[0])
    heard = len(onset_M) * _HOP_SECONDS
    if len(motion_F1) < STEPS_MIN or min(span, heard) < DURATION_MIN_SECONDS:
        return None
    interval = max(float(np.median(np.diff(timestamps_seconds_F))), _HOP_SECONDS)
    width = max(1, round(interval / _HOP_SECONDS))
    smooth_M = ndimage.uniform_filter1d(onset_M, width, mode="nearest")
    centre = (timestamps_seconds_F[1:] + timestamps_seconds_F[:-1]) / 2
    index = np.rint((centre[None] + _LAGS[:, None]) / _HOP_SECONDS).astype(np.int64)
    inside = (index >= 0) & (index < len(smooth_M))
    keep = inside.all(axis=0)
    if int(keep.sum()) < STEPS_MIN:
        return None
    heard_LF = smooth_M[index[:, keep]]
    seen_F = np.log(motion_F1[keep] + 1e-3)
    heard_LF = heard_LF - heard_LF.mean(axis=1, keepdims=True)
    seen_F = seen_F - seen_F.mean()
    size = np.linalg.norm(heard_LF, axis=1) * np.linalg.norm(seen_F)
    if not np.all(size > 1e-6):
        return None
    correlation_L = heard_LF @ seen_F / size
    best = int(correlation_L.argmax())
    far = np.abs(_LAGS - _LAGS[best]) > max(0.15, interval)
    rival = float(correlation_L[far].max()) if np.any(far) else 0.0
    peak = float(correlation_L[best])
    confidence = float(np.clip(peak - max(rival, 0.0), 0, 1))
    agreement = float(correlation_L[len(_LAGS) // 2])
    return OnsetLag(float(_LAGS[best]), peak, agreement, confidence)
