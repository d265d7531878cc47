"""Speech rebuilt from its mel spectrogram, the phase guessed.

Sources: Griffin and Lim, IEEE TASSP 1984; with momentum: Perraudin et al., WASPAA 2013.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.signal

from encoders.types import FloatArray
from rl.corpus.distance import mel_filters
from rl.corpus.forgeries.segment import choose_segment, put_segment
from rl.corpus.forgeries.types import Forged
from rl.corpus.loudness import match_loudness

CUE = "resynthesised voice"
ITERATIONS = 24
MOMENTUM = 0.99


def invert_mel(
    waveform_T: FloatArray, rate_hz: int, bands: int, rng: np.random.Generator
) -> FloatArray:
    """To `bands` mel bands and back: pseudo-inverse, then Griffin-Lim from random phases."""
    window = round(0.032 * rate_hz)
    overlap = window - window // 4

    def analyse(signal: FloatArray) -> npt.NDArray[Any]:
        spectrum: npt.NDArray[Any]
        _, _, spectrum = scipy.signal.stft(signal, rate_hz, nperseg=window, noverlap=overlap)
        return spectrum

    def synthesise(spectrum: npt.NDArray[Any]) -> npt.NDArray[Any]:
        signal = scipy.signal.istft(spectrum, rate_hz, nperseg=window, noverlap=overlap)[1]
        return np.pad(signal, (0, max(0, waveform_T.size - signal.size)))[: waveform_T.size]

    magnitude = np.abs(analyse(waveform_T))
    filters = mel_filters(rate_hz, magnitude.shape[0], bands)
    filters = filters / np.maximum(filters.sum(axis=1, keepdims=True), 1e-6)
    smooth = np.maximum(np.linalg.pinv(filters) @ (filters @ magnitude), 1e-8)
    phase = np.exp(2j * np.pi * rng.random(smooth.shape))
    previous = np.zeros_like(phase)
    for _ in range(ITERATIONS):
        rebuilt = analyse(synthesise(smooth * phase))
        phase = rebuilt + MOMENTUM * (rebuilt - previous)
        phase /= np.maximum(np.abs(phase), 1e-12)
        previous = rebuilt
    return match_loudness(synthesise(smooth * phase).astype(np.float32), waveform_T)


def griffin_lim(
    waveform_T: FloatArray, rate_hz: int, rng: np.random.Generator
) -> Forged[FloatArray]:
    """Replace a segment, or all, by its inversion from 40 or 80 mel bands.

    waveform_T: float32 mono in [-1, 1].
    """
    segment = choose_segment(waveform_T.size, rng)
    bands = int(rng.choice([40, 80]))
    voice = invert_mel(waveform_T, rate_hz, bands, rng)
    return put_segment(waveform_T, voice, segment, rate_hz, CUE, f"griffin_lim_{bands}")
