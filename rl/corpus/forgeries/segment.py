"""Which part of a recording is replaced, and how the seams are made."""

import numpy as np

from encoders.types import FloatArray, Span
from rl.corpus.distance import cepstral_distance
from rl.corpus.forgeries.regions import crossfade_weights, window
from rl.corpus.forgeries.types import Forged

WHOLE_PROBABILITY = 0.5
FADE_SECONDS = 0.02


def choose_segment(length: int, rng: np.random.Generator) -> tuple[int, int]:
    """All samples (half of the time), or a stretch of 30 to 70 % of them."""
    if rng.random() < WHOLE_PROBABILITY:
        return 0, length
    return window(length, rng, (0.3, 0.7))


def put_segment(
    waveform_T: FloatArray,
    voice_T: FloatArray,
    segment: tuple[int, int],
    rate_hz: int,
    cue: str,
    generator: str,
    *,
    fade_seconds: float = FADE_SECONDS,
) -> Forged[FloatArray]:
    """Crossfade `voice_T` over the recording within `segment` (first, past-the-last sample).

    voice_T has the recording's length; samples outside the segment stay bit for bit.
    """
    start, end = segment
    weights = crossfade_weights(waveform_T.size, start, end, round(fade_seconds * rate_hz))
    mixed = (waveform_T * (1.0 - weights) + voice_T * weights).astype(np.float32)
    forged: FloatArray = np.where(weights > 0.0, mixed, waveform_T).astype(np.float32)
    strength = cepstral_distance(waveform_T[start:end], forged[start:end], rate_hz)
    return Forged(forged, (Span(start / rate_hz, end / rate_hz),), strength, cue, generator)
