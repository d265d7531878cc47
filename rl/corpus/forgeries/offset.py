"""Sound out of step with the picture: a window of the soundtrack moved earlier or later."""

import numpy as np

from encoders.types import FloatArray
from rl.corpus.forgeries.regions import window
from rl.corpus.forgeries.segment import put_segment
from rl.corpus.forgeries.types import Forged

CUE = "sound out of step"
OFFSET_SECONDS = (0.2, 0.5)
FADE_FRAMES = 6


def moved(waveform_T: FloatArray, samples: int) -> FloatArray:
    """The waveform `samples` later (earlier where negative); silence comes in at the end."""
    if samples >= 0:
        return np.pad(waveform_T, (samples, 0))[: waveform_T.size]
    return np.pad(waveform_T, (0, -samples))[-samples:]


def av_offset(
    track_T: FloatArray, rate_hz: int, frames_per_second: float, rng: np.random.Generator
) -> Forged[FloatArray]:
    """Move 40 to 90 % of a soundtrack by .2 to .5 seconds, with cross-fades of six frames.

    track_T: float32 mono in [-1, 1], as long as the film.
    """
    seconds = float(rng.uniform(*OFFSET_SECONDS) * rng.choice([-1.0, 1.0]))
    segment = window(track_T.size, rng, (0.4, 0.9))
    voice = moved(track_T, round(seconds * rate_hz))
    fade = FADE_FRAMES / frames_per_second
    return put_segment(track_T, voice, segment, rate_hz, CUE, "av_offset", fade_seconds=fade)
