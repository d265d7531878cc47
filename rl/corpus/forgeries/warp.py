"""A self-blended, warped region over a window of frames: a face swap's trace without a face."""

import numpy as np

from encoders.types import ByteArray, Span
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, window
from rl.corpus.forgeries.self_blend import blend_mask, displace, jitter
from rl.corpus.forgeries.types import Forged

CUE = "warped region"


def warp(
    frames_FHWC: ByteArray, frames_per_second: float, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Blend a jittered, displaced copy of a region over each frame of a window.

    The colour change is one draw for the window; the warp wobbles from frame to frame, as that
    of a generator does. frames_FHWC: uint8 (F, H, W, 3) RGB. After arXiv:2204.08376.
    """
    count, height, width = frames_FHWC.shape[:3]
    start, end = window(count, rng, (0.3, 0.8))
    mask = blend_mask(height, width, rng)
    colour_seed, warp_seed = (int(seed) for seed in rng.integers(0, 2**63, size=2))
    is_wobbling = bool(rng.random() < 0.6)
    forged = frames_FHWC.copy()
    for f in range(start, end):
        jittered = jitter(frames_FHWC[f], np.random.default_rng(colour_seed))
        step = (f - start) // 3 if is_wobbling else 0
        moved = displace(jittered, np.random.default_rng([warp_seed, step]))
        forged[f] = blend(frames_FHWC[f], moved, mask)
    changed = range(start, end, max(1, (end - start) // 6))
    strength = float(np.mean([picture_distance(frames_FHWC[f], forged[f], mask) for f in changed]))
    span = Span(start / frames_per_second, end / frames_per_second)
    return Forged(forged, (span,), strength, CUE, "warp", mask)
