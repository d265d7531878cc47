"""A region of a picture laid over another place of the same picture, as to hide or to double."""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, hull_mask, soften
from rl.corpus.forgeries.types import STILL, Forged

CUE = "copied region"
DRAWS = 12


def choose_move(mask_HW: FloatArray, rng: np.random.Generator) -> tuple[int, int]:
    """Rows and columns from the region to where its content comes from, inside the picture.

    The first of twelve draws that moves by more than .6 of the region's size, or the farthest.
    """
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    height, width = mask_HW.shape
    lowest = np.array([-rows[0], -columns[0]])
    highest = np.array([height - 1 - rows[-1], width - 1 - columns[-1]])
    size = float(np.hypot(rows.size, columns.size))
    draws = rng.integers(lowest, highest + 1, size=(DRAWS, 2))
    lengths = np.hypot(draws[:, 0], draws[:, 1])
    far = np.flatnonzero(lengths > 0.6 * size)
    chosen = draws[far[0]] if far.size else draws[int(np.argmax(lengths))]
    return int(chosen[0]), int(chosen[1])


def copy_move(image_HWC: ByteArray, rng: np.random.Generator) -> Forged[ByteArray]:
    """Copy a convex region, turned by up to 10 degrees and scaled by up to 10 %, elsewhere.

    image_HWC: uint8 (H, W, 3) RGB. The mask is where the copy lies, not where it comes from.
    Source of the attack class: Christlein et al., IEEE TIFS 2012, arXiv:1208.3665.
    """
    height, width = image_HWC.shape[:2]
    mask = soften(hull_mask(height, width, rng, (0.2, 0.45)), rng, share=0.006)
    down, right = choose_move(mask, rng)
    weight_y, weight_x = mask.sum(axis=1), mask.sum(axis=0)
    centre_x = float((np.arange(width) * weight_x).sum() / weight_x.sum()) + right
    centre_y = float((np.arange(height) * weight_y).sum() / weight_y.sum()) + down
    turn = cv2.getRotationMatrix2D(
        (centre_x, centre_y), float(rng.uniform(-10, 10)), float(rng.uniform(0.9, 1.1))
    )
    turn[:, 2] -= (right, down)
    moved = cv2.warpAffine(
        image_HWC, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    forged = blend(image_HWC, moved, mask)
    strength = picture_distance(image_HWC, forged, mask)
    return Forged(forged, (STILL,), strength, CUE, "copy_move", mask)
