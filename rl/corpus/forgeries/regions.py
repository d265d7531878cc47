"""Where in a picture, and when in a file, a forgery happens; all drawn from a Generator."""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray


def hull_mask(
    height: int, width: int, rng: np.random.Generator, side_range: tuple[float, float] = (0.3, 0.7)
) -> FloatArray:
    """A random convex region with hard edges, float32 (H, W) of 0 and 1.

    side_range: the region's width and height as shares of the picture's.
    """
    share_y, share_x = rng.uniform(*side_range, size=2)
    radius_y, radius_x = share_y * height / 2, share_x * width / 2
    centre_y = rng.uniform(radius_y, height - radius_y)
    centre_x = rng.uniform(radius_x, width - radius_x)
    angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, size=14))
    radii = rng.uniform(0.75, 1.0, size=14)
    x = centre_x + radius_x * radii * np.cos(angles)
    y = centre_y + radius_y * radii * np.sin(angles)
    hull = cv2.convexHull(np.stack([x, y], axis=1).round().astype(np.int32))
    mask = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask


def soften(mask_HW: FloatArray, rng: np.random.Generator, share: float = 0.02) -> FloatArray:
    """Two Gaussian blurs of random width with a clip between, as in self-blended images.

    share: typical blur as a share of the picture's shorter side.
    """
    sigma = max(0.8, share * min(mask_HW.shape))
    blurred = cv2.GaussianBlur(mask_HW, (0, 0), float(sigma * rng.uniform(0.5, 1.5)))
    # Pull the soft edge inside the region, so that it does not reach past its outline.
    blurred = np.clip(blurred * 2.0 - 1.0, 0.0, 1.0)
    blurred = cv2.GaussianBlur(blurred, (0, 0), float(sigma * rng.uniform(0.25, 0.75)))
    blurred[blurred < 1.0 / 255.0] = 0.0
    softened: FloatArray = np.clip(blurred, 0.0, 1.0).astype(np.float32)
    return softened


def blend(base_HWC: ByteArray, over_HWC: ByteArray, mask_HW: FloatArray) -> ByteArray:
    """base (1 - mask) + over mask, rounded; `base` bit for bit where the mask is 0."""
    weight = mask_HW[..., None]
    mixed = base_HWC.astype(np.float32) * (1.0 - weight) + over_HWC.astype(np.float32) * weight
    rounded: ByteArray = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return rounded


def window(
    length: int, rng: np.random.Generator, share_range: tuple[float, float]
) -> tuple[int, int]:
    """First and past-the-last index of a random stretch that covers a share of `length`."""
    size = int(np.clip(round(rng.uniform(*share_range) * length), 1, length))
    start = int(rng.integers(0, length - size + 1))
    return start, start + size


def crossfade_weights(length: int, start: int, end: int, fade: int) -> FloatArray:
    """Weight of the forged signal: 1 inside [start, end), raised-cosine edges within it."""
    weights = np.zeros(length, np.float32)
    weights[start:end] = 1.0
    fade = min(fade, (end - start) // 2)
    if fade > 0:
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
        if start > 0:
            weights[start : start + fade] = ramp
        if end < length:
            weights[end - fade : end] = ramp[::-1]
    return weights
