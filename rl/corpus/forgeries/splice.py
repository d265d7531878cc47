"""A region of another genuine photograph, matched in colour and feathered in."""

import cv2
import numpy as np

from encoders.types import ByteArray
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, hull_mask, soften
from rl.corpus.forgeries.types import STILL, Forged

CUE = "spliced region"


def match_colour(image_HWC: ByteArray, to_HWC: ByteArray, amount: float) -> ByteArray:
    """Move mean and deviation of L*, a* and b* towards another picture's.

    Source: Reinhard et al., Color Transfer between Images, IEEE CG&A 2001. amount: [0, 1].
    """
    image = cv2.cvtColor(image_HWC.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    to = cv2.cvtColor(to_HWC.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    mean, deviation = image.mean(axis=(0, 1)), image.std(axis=(0, 1)) + 1e-3
    gain = np.clip(to.std(axis=(0, 1)) / deviation, 0.5, 2.0)
    matched = (image - mean) * gain + to.mean(axis=(0, 1))
    mixed = (image + amount * (matched - image)).astype(np.float32)
    rgb = cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
    result: ByteArray = np.clip(np.rint(rgb * 255.0), 0, 255).astype(np.uint8)
    return result


def splice(
    image_HWC: ByteArray, donor_HWC: ByteArray, rng: np.random.Generator
) -> Forged[ByteArray]:
    """Lay a region of `donor_HWC` over the picture.

    image_HWC, donor_HWC: uint8 RGB; the donor is scaled to cover the picture.
    """
    height, width = image_HWC.shape[:2]
    scale = max(height / donor_HWC.shape[0], width / donor_HWC.shape[1])
    size = (
        max(width, round(donor_HWC.shape[1] * scale)),
        max(height, round(donor_HWC.shape[0] * scale)),
    )
    donor = cv2.resize(donor_HWC, size, interpolation=cv2.INTER_AREA)[:height, :width]
    if rng.random() < 0.5:
        donor = np.ascontiguousarray(donor[:, ::-1])
    donor = match_colour(donor, image_HWC, float(rng.uniform(0.4, 0.9)))
    mask = soften(hull_mask(height, width, rng, (0.25, 0.6)), rng, share=0.01)
    forged = blend(image_HWC, donor, mask)
    strength = picture_distance(image_HWC, forged, mask)
    return Forged(forged, (STILL,), strength, CUE, "splice", mask)
