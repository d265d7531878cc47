"""Short-time spectra at 8 kHz, cut into quarter seconds: the ground of all audio families.

Everything is computed below min(3.8 kHz, 0.95 x half the source rate), so that a telephone
recording is not told from a studio recording by the band that it never had.

Dimensions in names: T samples, M short-time frames (10 ms apart), B bins, N quarter seconds.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from encoders.types import AudioSamples, FloatArray, SecondsArray

RATE_HZ = 8000
FRAME = 200
HOP = 80
FFT_SIZE = 256
WINDOW_SECONDS = 0.25
BAND_TOP_HZ = 3800.0
_FRAMES_A_WINDOW = round(WINDOW_SECONDS * RATE_HZ / HOP)
_HANN = np.hanning(FRAME + 2)[1:-1].astype(np.float32)
ComplexArray = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class ShortTime:
    """waveform_T: 8 kHz, peak 1 unless silent. frames_MT: (M, 200) unwindowed.

    spectrum_MB: Hann-windowed. power_MB: relative to the loudest bin, floored at -80 dB.
    level_M: frame level in dB relative to the loudest frame, >= -100. active_M: within 40 dB
    of the loudest frame, and not silence. window_N: first frame of each quarter second.
    frequency_B: hertz. in_band_B: bins below the band's top.
    """

    waveform_T: FloatArray
    frames_MT: FloatArray
    spectrum_MB: ComplexArray
    power_MB: FloatArray
    level_M: FloatArray
    active_M: npt.NDArray[np.bool_]
    window_N: npt.NDArray[np.int64]
    start_seconds_N: SecondsArray
    end_seconds_N: SecondsArray
    frequency_B: FloatArray
    in_band_B: npt.NDArray[np.bool_]
    band_top_hz: float

    def mean_N(self, values_M: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Mean over the frames of each quarter second; keeps trailing axes."""
        totals = np.add.reduceat(values_M.astype(np.float64), self.window_N, axis=0)
        return totals / self.counts_N.reshape(-1, *[1] * (values_M.ndim - 1))

    def std_N(self, values_M: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Standard deviation over the frames of each quarter second; keeps trailing axes."""
        centred = values_M.astype(np.float64) - values_M.mean(axis=0, dtype=np.float64)
        spread = self.mean_N(centred * centred) - self.mean_N(centred) ** 2
        return np.sqrt(np.maximum(spread, 0))

    @property
    def counts_N(self) -> npt.NDArray[np.int64]:
        return np.diff(np.append(self.window_N, len(self.level_M)))


def at_analysis_rate(audio: AudioSamples) -> FloatArray:
    """The waveform at 8 kHz, without its mean, peak 1 (or all zero), at least one frame long."""
    common = gcd(RATE_HZ, audio.sample_rate_hz)
    up, down = RATE_HZ // common, audio.sample_rate_hz // common
    waveform = np.nan_to_num(audio.waveform_T).astype(np.float32)
    if up != down:
        waveform = signal.resample_poly(waveform, up, down).astype(np.float32)
    waveform = waveform - waveform.mean(dtype=np.float64).astype(np.float32)
    if waveform.size < FRAME:
        waveform = np.pad(waveform, (0, FRAME - waveform.size))
    peak = float(np.abs(waveform).max())
    return waveform / np.float32(peak) if peak > 1e-4 else np.zeros_like(waveform)


def short_time(audio: AudioSamples) -> ShortTime:
    """Short-time analysis of mono audio of any length and rate."""
    waveform_T = at_analysis_rate(audio)
    frames_MT = np.lib.stride_tricks.sliding_window_view(waveform_T, FRAME)[::HOP]
    count = len(frames_MT)
    spectrum_MB = fft.rfft(frames_MT * _HANN, FFT_SIZE, axis=1)
    raw_MB = spectrum_MB.real**2 + spectrum_MB.imag**2
    loudest = float(raw_MB.max())
    scale = loudest if loudest > 0 else 1.0
    power_MB = np.maximum(raw_MB / np.float32(scale), np.float32(1e-8))
    energy_M = (frames_MT * frames_MT).mean(axis=1, dtype=np.float32)
    top = float(energy_M.max()) or 1.0
    level_M = (10 * np.log10(energy_M / np.float32(top) + np.float32(1e-10))).astype(np.float32)
    active_M = (level_M > -40) & (energy_M > 0)
    windows = max(1, count // _FRAMES_A_WINDOW)
    window_N = np.arange(windows, dtype=np.int64) * _FRAMES_A_WINDOW
    start_N = np.arange(windows, dtype=np.float64) * WINDOW_SECONDS
    end_N = np.append(start_N[1:], audio.duration_seconds)
    band_top = min(BAND_TOP_HZ, 0.95 * min(audio.source_sample_rate_hz, audio.sample_rate_hz) / 2)
    frequency_B = fft.rfftfreq(FFT_SIZE, 1 / RATE_HZ).astype(np.float32)
    return ShortTime(
        waveform_T,
        frames_MT,
        spectrum_MB,
        power_MB,
        level_M,
        active_M,
        window_N,
        start_N,
        np.maximum(end_N, start_N),
        frequency_B,
        (frequency_B <= max(band_top, 200.0)) & (frequency_B >= 60),
        max(band_top, 200.0),
    )


@dataclass(frozen=True, slots=True)
class AudioReading:
    """features: name -> (N,). values: signal name -> value of the whole recording.

    local: signal name -> (N,) score by which the worst quarter second is found, high is worst.
    """

    features: dict[str, npt.NDArray[np.float64]]
    values: dict[str, float]
    local: dict[str, npt.NDArray[np.float64]]


def active_mean(values_M: npt.NDArray[np.floating], active_M: npt.NDArray[np.bool_]) -> float:
    """Mean over the active frames; 0 where there are none."""
    return float(values_M[active_M].mean(dtype=np.float64)) if np.any(active_M) else 0.0
