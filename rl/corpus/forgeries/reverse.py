"""Frames of a window played backwards."""

import numpy as np

from encoders.types import ByteArray, Span
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import window
from rl.corpus.forgeries.types import Forged

CUE = "reversed motion"


def reverse(
    frames_FHWC: ByteArray, frames_per_second: float, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Turn a window of an even number of frames round in time.

    frames_FHWC: uint8 (F >= 4, H, W, 3) RGB.
    """
    start, end = window(len(frames_FHWC), rng, (0.3, 0.8))
    # The middle frame of an odd number would stay what it was.
    end -= (end - start) % 2
    end = max(end, start + 2) if start + 2 <= len(frames_FHWC) else len(frames_FHWC)
    start = min(start, end - 2)
    forged = frames_FHWC.copy()
    forged[start:end] = frames_FHWC[start:end][::-1]
    changed = range(start, end, max(1, (end - start) // 6))
    strength = float(np.mean([picture_distance(frames_FHWC[f], forged[f]) for f in changed]))
    span = Span(start / frames_per_second, end / frames_per_second)
    return Forged(forged, (span,), strength, CUE, "reverse")
