"""Phase regularity: what a vocoder or a phase estimate leaves.

Sources: H. Murthy, V. Gadde, "The modified group delay function and its application to phoneme
recognition", ICASSP 2003; J. Sanchez et al., "Toward a universal synthetic speech spoofing
detection using phase information", IEEE TIFS 10(4), 2015 (relative phase of harmonics);
D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", 1984.

A voice excites all frequencies at once when the glottis closes, so energy and group delay
gather in time within a pitch period; an estimated phase spreads them.
"""

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from encoders.forensic.audio_windows import (
    FFT_SIZE,
    FRAME,
    HOP,
    AudioReading,
    ShortTime,
    active_mean,
)

_HANN = np.hanning(FRAME + 2)[1:-1].astype(np.float32)
_CENTRED_SECONDS = ((np.arange(FRAME) - (FRAME - 1) / 2) / FRAME).astype(np.float32)


def group_delay(short: ShortTime) -> npt.NDArray[np.float32]:
    """Group delay from the frame's centre in frame lengths, (M, B), limited to [-0.5, 0.5].

    Re(conj(X) Y) / |X|^2 with Y the transform of n x[n]: no unwrapping is needed.
    """
    ramped = fft.rfft(short.frames_MT * (_HANN * _CENTRED_SECONDS), FFT_SIZE, axis=1)
    # X is taken from the frame's first sample, as Y is; the ramp alone carries the centre.
    cross = (np.conj(short.spectrum_MB) * ramped).real
    power = np.abs(short.spectrum_MB) ** 2
    delay: npt.NDArray[np.float32] = np.clip(cross / (power + 1e-9), -0.5, 0.5).astype(np.float32)
    return delay


def phase_advance(short: ShortTime) -> npt.NDArray[np.float32]:
    """|mean of exp(i second difference of phase)|, weighted by power, (M,) in [0, 1].

    1 for steady sinusoids: their phase advances evenly from frame to frame.
    """
    unit = short.spectrum_MB / (np.abs(short.spectrum_MB) + 1e-9)
    weight = np.sqrt(short.power_MB)[:, short.in_band_B]
    unit = unit[:, short.in_band_B]
    out = np.zeros(len(unit), np.float32)
    if len(unit) >= 3:
        turn = unit[2:] * np.conj(unit[1:-1]) ** 2 * unit[:-2]
        total = (weight[1:-1] * turn).sum(axis=1)
        out[1:-1] = np.abs(total) / (weight[1:-1].sum(axis=1) + 1e-9)
    return out


def pulse_sharpness(short: ShortTime) -> npt.NDArray[np.float64]:
    """Fourth over squared second moment of the prediction residual of each frame, log, (M,).

    The residual is a fixed second difference, which evens out the slope of the voice's spectrum.
    """
    emphasised = np.diff(short.waveform_T, prepend=np.float32(0))
    top = short.band_top_hz / 4000
    sections = signal.butter(4, min(0.93, top), output="sos")
    emphasised = signal.sosfilt(sections, emphasised).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, FRAME)[::HOP]
    square = frames * frames
    second = square.mean(axis=1, dtype=np.float64)
    fourth = (square * square).mean(axis=1, dtype=np.float64)
    sharp = np.where(second > 1e-10, fourth / np.maximum(second * second, 1e-20), 3.0)
    sharpness: npt.NDArray[np.float64] = np.log(np.clip(sharp, 1, 1000))
    return sharpness


def read_phase(short: ShortTime) -> AudioReading:
    """Group delay, phase advance and pulse statistics in each quarter second."""
    band = short.in_band_B
    delay = group_delay(short)[:, band]
    weight = np.sqrt(short.power_MB[:, band])
    total = weight.sum(axis=1) + 1e-9
    mean_M = (weight * delay).sum(axis=1) / total
    spread_M = np.sqrt((weight * (delay - mean_M[:, None]) ** 2).sum(axis=1) / total)
    roughness_M = np.abs(np.diff(delay, axis=1)).mean(axis=1)
    modified = np.sign(delay) * np.abs(delay) ** 0.4
    modified_M = np.abs(modified).mean(axis=1)
    advance_M = phase_advance(short)
    sharp_M = pulse_sharpness(short)
    features = {
        "delay_spread": short.mean_N(spread_M),
        "delay_spread_std": short.std_N(spread_M),
        "delay_roughness": short.mean_N(roughness_M),
        "delay_roughness_std": short.std_N(roughness_M),
        "delay_modified": short.mean_N(modified_M),
        "advance": short.mean_N(advance_M),
        "advance_std": short.std_N(advance_M),
        "sharpness": short.mean_N(sharp_M),
        "sharpness_std": short.std_N(sharp_M),
    }
    active = short.active_M
    values = {
        "audio.group_delay_spread": active_mean(spread_M, active),
        "audio.phase_advance": active_mean(advance_M, active),
        "audio.pulse_sharpness": active_mean(sharp_M, active),
    }
    local = {
        "audio.group_delay_spread": np.abs(
            features["delay_spread"] - values["audio.group_delay_spread"]
        ),
        "audio.phase_advance": features["advance"],
        "audio.pulse_sharpness": np.abs(features["sharpness"] - values["audio.pulse_sharpness"]),
    }
    return AudioReading(features, values, local)
