"""A region removed and filled from its surroundings."""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import hull_mask
from rl.corpus.forgeries.types import STILL, Forged

CUE = "filled region"


def inpaint(image_HWC: ByteArray, rng: np.random.Generator) -> Forged[ByteArray]:
    """Fill a convex region by Telea's or the Navier-Stokes method.

    image_HWC: uint8 RGB. Sources: Telea, J. Graphics Tools 2004; Bertalmio et al., CVPR 2001.
    """
    height, width = image_HWC.shape[:2]
    mask: FloatArray = hull_mask(height, width, rng, (0.15, 0.4))
    is_telea = bool(rng.random() < 0.5)
    method = cv2.INPAINT_TELEA if is_telea else cv2.INPAINT_NS
    filled = cv2.inpaint(image_HWC, (mask * 255).astype(np.uint8), 3.0, method)
    # OpenCV may touch the ring around the hole; only the region counts as forged.
    forged: ByteArray = np.where(mask[..., None] > 0, filled, image_HWC).astype(np.uint8)
    strength = picture_distance(image_HWC, forged, mask)
    generator = "inpaint_telea" if is_telea else "inpaint_navier_stokes"
    return Forged(forged, (STILL,), strength, CUE, generator, mask)
