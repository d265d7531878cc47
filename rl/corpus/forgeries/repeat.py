"""Frames frozen or looped over a window, as where something was cut out or covered up."""

import numpy as np

from encoders.types import ByteArray, Span
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import window
from rl.corpus.forgeries.types import Forged

CUE = "repeated frames"


def repeat(
    frames_FHWC: ByteArray, frames_per_second: float, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Hold one frame over a window, or loop the few frames before it.

    frames_FHWC: uint8 (F >= 4, H, W, 3) RGB.
    """
    count = len(frames_FHWC)
    start, end = window(count - 1, rng, (0.25, 0.6))
    start, end = start + 1, end + 1
    is_loop = bool(rng.random() < 0.5) and start >= 3
    period = int(rng.integers(2, min(start, 8) + 1)) if is_loop else 1
    order = np.arange(count)
    order[start:end] = start - period + (np.arange(end - start) % period)
    forged: ByteArray = frames_FHWC[order]
    changed = range(start, end, max(1, (end - start) // 6))
    strength = float(np.mean([picture_distance(frames_FHWC[f], forged[f]) for f in changed]))
    span = Span(start / frames_per_second, end / frames_per_second)
    return Forged(forged, (span,), strength, CUE, "loop" if is_loop else "freeze")
