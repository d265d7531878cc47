"""Error-level analysis: how much a picture changes when it is compressed once more.

Sources: N. Krawetz, "A Picture's Worth: Digital Image Analysis and Forensics", 2007;
H. Farid, "Exposing digital forgeries from JPEG ghosts", IEEE TIFS 4(1), 2009. Normalised against
brightness and texture here, since edges alone raise the error level.
"""

import io

import numpy as np
from PIL import Image

from encoders.forensic.reading import (
    BlockContext,
    Reading,
    block_mean,
    heat,
    inconsistency,
    map_features,
    strongest,
)
from encoders.types import FloatArray

QUALITY = 90


def recompressed(luma_HW: FloatArray, quality: int = QUALITY) -> FloatArray:
    """The luma after one JPEG compression, (H, W) in [0, 255]."""
    buffer = io.BytesIO()
    grey = np.clip(np.rint(luma_HW), 0, 255).astype(np.uint8)
    Image.fromarray(grey).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as picture:
        out: FloatArray = np.asarray(picture, np.float32)
    return out


def read_error_level(luma_HW: FloatArray, context: BlockContext) -> Reading:
    """Error levels of a (H, W) luma, and blocks whose level their content does not explain."""
    difference = np.abs(np.rint(luma_HW) - recompressed(luma_HW))
    level_hw = block_mean(difference)
    log_hw = np.log(level_hw + np.float32(0.1))
    z_hw = inconsistency(log_hw, context)
    low, middle, high = (float(v) for v in np.percentile(log_hw, [10, 50, 90]))
    features = {
        "level_p10": low,
        "level_p50": middle,
        "level_p90": high,
        "unchanged": float((difference < 0.5).mean()),
        **map_features("map", z_hw),
    }
    name = "image.error_level_inconsistency"
    return Reading(features, {name: strongest(np.abs(z_hw))}, {name: heat(z_hw)})
