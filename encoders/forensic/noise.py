"""Local noise level and where it does not fit.

Sources: D. Donoho, "De-noising by soft-thresholding", 1995 (MAD of the diagonal detail);
B. Mahdian, S. Saic, "Using noise inconsistencies for blind image forensics", Image and Vision
Computing 27, 2009.
"""

import numpy as np

from encoders.forensic.reading import (
    BlockContext,
    Reading,
    block_view,
    heat,
    inconsistency,
    map_features,
    strongest,
)
from encoders.types import FloatArray

_MAD_TO_SIGMA = 1 / 0.6745


def noise_levels(luma_HW: FloatArray) -> FloatArray:
    """Noise standard deviation of each block in grey levels, (h, w).

    Median absolute undecimated Haar diagonal detail / 0.6745, within the block.
    """
    detail_HW = np.zeros_like(luma_HW)
    rows = luma_HW[:, 1:] - luma_HW[:, :-1]
    detail_HW[:-1, :-1] = (rows[1:] - rows[:-1]) / 2
    blocks = np.abs(block_view(detail_HW))
    levels: FloatArray = np.median(blocks.reshape(*blocks.shape[:2], -1), axis=-1)
    return (levels * _MAD_TO_SIGMA).astype(np.float32)


def read_noise(luma_HW: FloatArray, context: BlockContext) -> Reading:
    """Noise level of a (H, W) luma, and blocks whose noise their content does not explain."""
    level_hw = noise_levels(luma_HW)
    log_hw = np.log(level_hw + np.float32(0.1))
    z_hw = inconsistency(log_hw, context)
    low, middle, high = (float(v) for v in np.percentile(level_hw, [25, 50, 90]))
    flat = context.usable_hw & (context.texture_hw < np.median(context.texture_hw))
    bright = context.brightness_hw > np.median(context.brightness_hw)
    dark_level, bright_level = (
        float(np.median(log_hw[flat & side])) if np.any(flat & side) else float(np.log(0.1))
        for side in (~bright, bright)
    )
    features = {
        "level_p25": float(np.log(low + 0.1)),
        "level_p50": float(np.log(middle + 0.1)),
        "level_p90": float(np.log(high + 0.1)),
        "level_spread": float(log_hw.std()),
        "bright_to_dark": bright_level - dark_level,
        **map_features("map", z_hw),
    }
    name = "image.noise_inconsistency"
    values = {"image.noise_level": low, name: strongest(np.abs(z_hw))}
    return Reading(features, values, {name: heat(z_hw)})
