"""Level, rate and silence of speech; float32 mono waveforms throughout."""

from math import gcd

import numpy as np
import scipy.signal

from encoders.types import FloatArray

SILENCE_DB = -38.0
MARGIN_SECONDS = 0.03


def resample_to(waveform_T: FloatArray, rate_hz: int, to_hz: int) -> FloatArray:
    """Polyphase resampling; the input itself where the rates are equal."""
    if rate_hz == to_hz:
        return waveform_T
    common = gcd(rate_hz, to_hz)
    resampled = scipy.signal.resample_poly(waveform_T, to_hz // common, rate_hz // common)
    result: FloatArray = resampled.astype(np.float32)
    return result


def rms(waveform_T: FloatArray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(waveform_T.astype(np.float64) ** 2))) if waveform_T.size else 0.0


def match_loudness(waveform_T: FloatArray, to_T: FloatArray) -> FloatArray:
    """Scale to the other waveform's RMS; never beyond a peak of 1."""
    level = rms(waveform_T)
    if level == 0.0:
        return waveform_T
    gain = min(rms(to_T) / level, 0.99 / float(np.abs(waveform_T).max()))
    return (waveform_T * np.float32(gain)).astype(np.float32)


def sounding_range(waveform_T: FloatArray, rate_hz: int) -> tuple[int, int]:
    """First and past-the-last sample of what is louder than 38 dB below the loudest 20 ms.

    30 ms are kept at either end; (0, T) where nothing sounds.
    """
    hop = max(1, round(0.010 * rate_hz))
    frames = waveform_T.size // hop
    if frames < 2:
        return 0, waveform_T.size
    energy = (waveform_T[: frames * hop].astype(np.float64).reshape(frames, hop) ** 2).mean(axis=1)
    energy = (energy[:-1] + energy[1:]) / 2
    loud = np.flatnonzero(energy > energy.max() * 10.0 ** (SILENCE_DB / 10.0))
    if energy.max() == 0.0 or loud.size == 0:
        return 0, waveform_T.size
    margin = round(MARGIN_SECONDS * rate_hz)
    start = max(0, int(loud[0]) * hop - margin)
    end = min(waveform_T.size, (int(loud[-1]) + 2) * hop + margin)
    return start, end


def trim_silence(waveform_T: FloatArray, rate_hz: int) -> FloatArray:
    """The waveform without the silence at both ends: its length alone gives classes away."""
    start, end = sounding_range(waveform_T, rate_hz)
    return waveform_T[start:end]


def fade_ends(waveform_T: FloatArray, rate_hz: int, seconds: float = 0.01) -> FloatArray:
    """Raised-cosine fade at both ends, so that no cut clicks."""
    faded = waveform_T.copy()
    length = min(round(seconds * rate_hz), waveform_T.size // 2)
    if length > 0:
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
        faded[:length] *= ramp
        faded[-length:] *= ramp[::-1]
    return faded
