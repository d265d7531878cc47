"""Local blur and where it breaks off.

Sources: F. Crete et al., "The blur effect: perception and estimation with a new no-reference
perceptual blur metric", SPIE 6492, 2007 (change under re-blurring); L. Li et al., "Face X-ray",
CVPR 2020 (arXiv:1912.13458: a blend leaves its boundary, whatever was blended).
"""

import numpy as np
from scipy import ndimage

from encoders.forensic.reading import (
    BlockContext,
    Reading,
    block_mean,
    heat,
    inconsistency,
    map_features,
    robust_z,
    strongest,
)
from encoders.types import FloatArray


def sharpness(luma_HW: FloatArray) -> FloatArray:
    """Natural log of the gradient before over after a 3 x 3 blur, block by block, (h, w).

    About 0 where the picture is blurred already; larger where it is sharp.
    """

    def gradient(values_HW: FloatArray) -> FloatArray:
        total = np.zeros_like(values_HW)
        total[:, :-1] = np.abs(np.diff(values_HW, axis=1))
        total[:-1] += np.abs(np.diff(values_HW, axis=0))
        return block_mean(total)

    blurred = ndimage.uniform_filter(luma_HW, 3, mode="nearest")
    before, after = gradient(luma_HW), gradient(blurred)
    return np.log((before + np.float32(0.2)) / (after + np.float32(0.2)))


def read_blend_edge(luma_HW: FloatArray, context: BlockContext) -> Reading:
    """Blur statistics of a (H, W) luma, blur out of place, and abrupt changes of blur."""
    sharp_hw = sharpness(luma_HW)
    z_hw = inconsistency(sharp_hw, context, scale_min=0.03)
    smooth = ndimage.uniform_filter(sharp_hw, 3, mode="nearest")
    jump_hw = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
    jump_z = robust_z(jump_hw.astype(np.float32), context.usable_hw, 0.02)
    low, middle, high = (float(v) for v in np.percentile(sharp_hw, [10, 50, 90]))
    features = {
        "sharpness_p10": low,
        "sharpness_p50": middle,
        "sharpness_p90": high,
        "jump_top": strongest(np.maximum(jump_z, 0)),
        **map_features("map", z_hw),
    }
    name = "image.blur_inconsistency"
    return Reading(features, {name: strongest(np.abs(z_hw))}, {name: heat(z_hw)})
