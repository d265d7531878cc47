"""A region that runs late: part of the picture shows another moment than the rest."""

import numpy as np

from encoders.types import ByteArray, Span
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, hull_mask, soften, window
from rl.corpus.forgeries.types import Forged

CUE = "delayed region"


def region_shift(
    frames_FHWC: ByteArray, frames_per_second: float, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Within a window, show a region as it was .1 to .8 seconds before.

    frames_FHWC: uint8 (F >= 4, H, W, 3) RGB.
    """
    count, height, width = frames_FHWC.shape[:3]
    delay = int(np.clip(round(rng.uniform(0.1, 0.8) * frames_per_second), 1, count // 3))
    start, end = window(count - delay, rng, (0.4, 0.9))
    start, end = start + delay, end + delay
    mask = soften(hull_mask(height, width, rng, (0.4, 0.8)), rng)
    forged = frames_FHWC.copy()
    for f in range(start, end):
        forged[f] = blend(frames_FHWC[f], frames_FHWC[f - delay], mask)
    changed = range(start, end, max(1, (end - start) // 6))
    strength = float(np.mean([picture_distance(frames_FHWC[f], forged[f], mask) for f in changed]))
    span = Span(start / frames_per_second, end / frames_per_second)
    return Forged(forged, (span,), strength, CUE, "region_shift", mask)
