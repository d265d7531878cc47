"""Frames of a window dropped and made again from their neighbours, as frame-rate converters do."""

from itertools import pairwise

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray, Span
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.types import Forged

CUE = "interpolated frames"


def optical_flow(left_HWC: ByteArray, right_HWC: ByteArray) -> FloatArray:
    """Dense inverse search from left to right, float32 (H, W, 2) in pixels (x, y).

    Source: Kroeger et al., ECCV 2016, arXiv:1603.03590.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (left_HWC, right_HWC)]
    flow: FloatArray = search.calc(grey[0], grey[1], None)
    return flow


def between(
    left_HWC: ByteArray, right_HWC: ByteArray, flow_HW2: FloatArray, moment: float
) -> ByteArray:
    """The picture at `moment` in (0, 1) between two: both warped along the flow, then mixed.

    Zero flow gives a plain cross-fade. Source: Baker et al., IJCV 2011, section 4.
    """
    height, width = left_HWC.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))

    def warped(image_HWC: ByteArray, share: float) -> FloatArray:
        map_x = (x + share * flow_HW2[..., 0]).astype(np.float32)
        map_y = (y + share * flow_HW2[..., 1]).astype(np.float32)
        moved = cv2.remap(
            image_HWC, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.float32)

    mixed = (1.0 - moment) * warped(left_HWC, -moment) + moment * warped(right_HWC, 1.0 - moment)
    picture: ByteArray = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return picture


def interpolate(
    frames_FHWC: ByteArray, frames_per_second: float, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Keep each second to fifth frame of a window; cross-fade or warp the others from them.

    frames_FHWC: uint8 (F >= 8, H, W, 3) RGB. The span begins and ends with a made frame.
    """
    count = len(frames_FHWC)
    step = int(rng.integers(2, min(5, count // 3) + 1))
    intervals = max(1, int(rng.uniform(0.4, 0.9) * (count - 1)) // step)
    first = int(rng.integers(0, count - 1 - intervals * step + 1))
    kept = range(first, first + intervals * step + 1, step)
    has_flow = bool(rng.random() < 0.5)
    forged = frames_FHWC.copy()
    for left, right in pairwise(kept):
        flow = (
            optical_flow(frames_FHWC[left], frames_FHWC[right])
            if has_flow
            else np.zeros((*frames_FHWC.shape[1:3], 2), np.float32)
        )
        for f in range(left + 1, right):
            moment = (f - left) / step
            forged[f] = between(frames_FHWC[left], frames_FHWC[right], flow, moment)
    made = [f for f in range(kept[0], kept[-1]) if f not in kept]
    sampled = made[:: max(1, len(made) // 6)]
    strength = float(np.mean([picture_distance(frames_FHWC[f], forged[f]) for f in sampled]))
    span = Span((kept[0] + 1) / frames_per_second, kept[-1] / frames_per_second)
    generator = "interpolate_flow" if has_flow else "interpolate_fade"
    return Forged(forged, (span,), strength, CUE, generator)
