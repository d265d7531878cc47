"""Long-term shape of the spectrum, its variation in time, the noise floor, and digital silence.

Sources: D. Paul, M. Pal, G. Saha, "Spectral features for synthetic speech detection", IEEE JSTSP
11(4), 2017 (band energies, dynamics); C. Borrelli et al., "Synthetic speech detection through
short-term and long-term prediction traces", EURASIP JIS 2021; noise-floor steps at splices:
X. Pan, X. Zhang, S. Lyu, "Detecting splicing in digital audios using local noise level
estimation", ICASSP 2012.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from encoders.forensic.audio_windows import AudioReading, ShortTime, active_mean
from encoders.types import AudioSamples

_SILENCE = 2.0**-15
_RUN_SECONDS = 0.01


def interior_silence(
    audio: AudioSamples, start_seconds_N: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Share of each quarter second that lies in runs of digital zero of 10 ms or more, (N,).

    Silence before the first and after the last sound does not count: it says how a file was
    trimmed, not how it was made.
    """
    quiet_T = np.abs(audio.waveform_T) < _SILENCE
    loud = np.flatnonzero(~quiet_T)
    length = max(1, round(_RUN_SECONDS * audio.sample_rate_hz))
    share = np.zeros(len(start_seconds_N))
    if loud.size < 2:
        return share
    gaps = np.diff(loud) - 1
    counted = np.zeros(quiet_T.size + 1)
    for index in np.flatnonzero(gaps >= length):
        counted[loud[index] + 1] += 1
        counted[loud[index + 1]] -= 1
    silent_T = np.cumsum(counted[:-1])
    first = np.minimum((start_seconds_N * audio.sample_rate_hz).astype(np.int64), quiet_T.size - 1)
    totals = np.add.reduceat(silent_T, first)
    return totals / np.maximum(np.diff(np.append(first, quiet_T.size)), 1)


def noise_floor(short: ShortTime) -> npt.NDArray[np.float64]:
    """Background level around each quarter second (1.25 s) relative to the loudest bin, dB, (N,).

    Minimum of each bin over time, averaged over the band (minimum statistics, R. Martin, IEEE
    TSAP 9(5), 2001): it sees the background between harmonics and sounds, so that a stretch
    of speech without a pause does not count as a louder background.
    """
    # Neighbours are pooled first: the minimum of a single noisy bin lies far below its mean.
    power_MB = short.power_MB[:, short.in_band_B]
    pooled_MB = ndimage.uniform_filter(power_MB, (5, 5), mode="nearest")
    lowest_NB = np.minimum.reduceat(pooled_MB, short.window_N, axis=0)
    lowest_NB = ndimage.minimum_filter1d(lowest_NB, 5, axis=0, mode="nearest")
    floor: npt.NDArray[np.float64] = (10 * np.log10(lowest_NB)).mean(axis=1, dtype=np.float64)
    return floor


def read_audio_spectrum(short: ShortTime, audio: AudioSamples) -> AudioReading:
    """Spectral shape and its movement in each quarter second."""
    band = short.in_band_B
    frequency_khz = short.frequency_B[band].astype(np.float64) / 1000
    log_MB = 10 * np.log10(short.power_MB[:, band])
    centred = frequency_khz - frequency_khz.mean()
    tilt_M = (log_MB @ centred) / max(float(centred @ centred), 1e-9)
    power_MB = short.power_MB[:, band]
    flatness_M = log_MB.mean(axis=1) - 10 * np.log10(power_MB.mean(axis=1))
    upper = frequency_khz > 0.63 * short.band_top_hz / 1000
    high_M = 10 * np.log10(power_MB[:, upper].sum(axis=1) / power_MB[:, ~upper].sum(axis=1))
    shape_MB = log_MB - log_MB.mean(axis=1, keepdims=True)
    flux_M = np.zeros(len(shape_MB))
    flux_M[1:] = np.abs(np.diff(shape_MB, axis=0)).mean(axis=1)
    fine_MB = shape_MB - ndimage.uniform_filter1d(shape_MB, 5, axis=1, mode="nearest")
    fine_M = np.abs(fine_MB).mean(axis=1)
    variance_N = short.std_N(shape_MB).mean(axis=1)
    floor_N = noise_floor(short)
    silence_N = interior_silence(audio, short.start_seconds_N)
    edge_M = np.sort(log_MB, axis=1)
    depth_M = edge_M[:, -max(1, len(frequency_khz) // 10)] - edge_M[:, len(frequency_khz) // 10]
    middle = float(np.median(floor_N))
    features = {
        "tilt": short.mean_N(tilt_M),
        "tilt_std": short.std_N(tilt_M),
        "flatness": short.mean_N(flatness_M),
        "flatness_std": short.std_N(flatness_M),
        "high_band": short.mean_N(high_M),
        "high_band_std": short.std_N(high_M),
        "flux": short.mean_N(flux_M),
        "flux_std": short.std_N(flux_M),
        "fine_structure": short.mean_N(fine_M),
        "variation": variance_N,
        "depth": short.mean_N(depth_M),
        "floor": floor_N,
        "floor_from_median": np.clip(floor_N - middle, -40, 40),
        "level": short.mean_N(np.maximum(short.level_M, -80)),
        "level_std": short.std_N(np.maximum(short.level_M, -80)),
        "silence": silence_N,
    }
    active = short.active_M
    audible_N = np.maximum(floor_N, -70)
    jump_N = np.abs(np.diff(audible_N, prepend=audible_N[:1]))
    values = {
        "audio.spectral_tilt": active_mean(tilt_M, active),
        "audio.spectral_flux": active_mean(flux_M, active),
        "audio.noise_floor_jump": float(jump_N.max()),
        "audio.digital_silence": float(silence_N.mean()),
    }
    local = {
        "audio.spectral_flux": np.abs(features["flux"] - values["audio.spectral_flux"]),
        "audio.noise_floor_jump": jump_N,
        "audio.digital_silence": silence_N,
    }
    return AudioReading(features, values, local)
