"""Self-blended images (Shiohara and Yamasaki, CVPR 2022, arXiv:2204.08376)."""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, hull_mask, soften
from rl.corpus.forgeries.types import STILL, Forged

CUE = "blended edge"
BLEND_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


def jitter(image_HWC: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Shift of hue, saturation, brightness and contrast, then a blur or a sharpening."""
    hsv = cv2.cvtColor(image_HWC, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-8, 8)) % 180
    hsv[..., 1] *= rng.uniform(0.75, 1.25)
    hsv = np.clip(hsv, 0, (179, 255, 255)).astype(np.uint8)
    colour = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    mean = colour.mean(axis=(0, 1), keepdims=True)
    colour = (colour - mean) * rng.uniform(0.85, 1.15) + mean + rng.uniform(-18, 18)
    low = cv2.GaussianBlur(colour, (0, 0), float(rng.uniform(0.7, 1.6)))
    amount = rng.uniform(0.4, 1.0)
    sharpness = colour + amount * (low - colour) * (1 if rng.random() < 0.5 else -1)
    result: ByteArray = np.clip(np.rint(sharpness), 0, 255).astype(np.uint8)
    return result


def displace(image_HWC: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Affine move of up to 3 % and scale .95 to 1, with an elastic warp of a few pixels."""
    height, width = image_HWC.shape[:2]
    scale = rng.uniform(0.95, 1.0)
    move_x, move_y = rng.uniform(-0.03, 0.03, size=2) * (width, height)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    field = rng.normal(size=(2, 8, 8)).astype(np.float32) * 0.006 * min(height, width)
    elastic_x, elastic_y = (
        cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC) for plane in field
    )
    map_x = (x - width / 2) / scale + width / 2 - move_x + elastic_x
    map_y = (y - height / 2) / scale + height / 2 - move_y + elastic_y
    moved: ByteArray = cv2.remap(
        image_HWC,
        map_x.astype(np.float32),
        map_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return moved


def blend_mask(height: int, width: int, rng: np.random.Generator) -> FloatArray:
    """A softened convex region times a ratio of the published list."""
    mask = soften(hull_mask(height, width, rng), rng)
    return (mask * np.float32(rng.choice(BLEND_RATIOS))).astype(np.float32)


def self_blend(image_HWC: ByteArray, rng: np.random.Generator) -> Forged[ByteArray]:
    """Blend a jittered, displaced copy of a region of the picture over the picture itself.

    image_HWC: uint8 (H, W, 3) RGB.
    """
    height, width = image_HWC.shape[:2]
    mask = blend_mask(height, width, rng)
    forged = blend(image_HWC, displace(jitter(image_HWC, rng), rng), mask)
    strength = picture_distance(image_HWC, forged, mask)
    return Forged(forged, (STILL,), strength, CUE, "self_blend", mask)
