"""Speech taken apart and put together again by the WORLD vocoder.

Source: Morise et al., WORLD, IEICE Trans. 2016. The words and the speaker stay the same.
"""

import numpy as np
import pyworld

from encoders.types import FloatArray
from rl.corpus.forgeries.segment import choose_segment, put_segment
from rl.corpus.forgeries.types import Forged
from rl.corpus.loudness import match_loudness, resample_to

CUE = "resynthesised voice"
# D4C estimates aperiodicity in bands of 3 kHz: at 8 kHz it would have none.
WORLD_RATE_HZ = 16_000


def resynthesise(waveform_T: FloatArray, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """WORLD analysis and synthesis with a small change of pitch; the length is kept."""
    signal = resample_to(waveform_T, rate_hz, WORLD_RATE_HZ).astype(np.float64)
    pitch, times = pyworld.dio(signal, WORLD_RATE_HZ)
    pitch = pyworld.stonemask(signal, pitch, times, WORLD_RATE_HZ)
    envelope = pyworld.cheaptrick(signal, pitch, times, WORLD_RATE_HZ)
    aperiodicity = pyworld.d4c(signal, pitch, times, WORLD_RATE_HZ)
    pitch = pitch * 2.0 ** (rng.uniform(-1.0, 1.0) / 12.0)
    voice = pyworld.synthesize(pitch, envelope, aperiodicity, WORLD_RATE_HZ)
    narrow = resample_to(voice.astype(np.float32), WORLD_RATE_HZ, rate_hz)
    padded = np.pad(narrow, (0, max(0, waveform_T.size - narrow.size)))[: waveform_T.size]
    return match_loudness(padded, waveform_T)


def world(waveform_T: FloatArray, rate_hz: int, rng: np.random.Generator) -> Forged[FloatArray]:
    """Replace a segment, or all, by its WORLD resynthesis.

    waveform_T: float32 mono in [-1, 1].
    """
    segment = choose_segment(waveform_T.size, rng)
    voice = resynthesise(waveform_T, rate_hz, rng)
    return put_segment(waveform_T, voice, segment, rate_hz, CUE, "world")
