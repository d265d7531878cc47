"""Traces of up-sampling, as decoders of image generators leave them.

Checkerboards of transposed convolutions (Odena et al., Distill 2016) and notched or replicated
spectra (Durall et al., CVPR 2020, arXiv:2003.01826; Frank et al., ICML 2020, arXiv:2003.08685).
"""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray
from rl.corpus.distance import picture_distance
from rl.corpus.forgeries.regions import blend, hull_mask, soften
from rl.corpus.forgeries.types import STILL, Forged

CUE = "resampling traces"


def down_and_up(image_HWC: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Reduce by 1.5 to 3 and enlarge again."""
    height, width = image_HWC.shape[:2]
    factor = rng.uniform(1.5, 3.0)
    small = cv2.resize(
        image_HWC, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA
    )
    method = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
    enlarged: ByteArray = cv2.resize(small, (width, height), interpolation=method)
    return enlarged


def transposed_convolution(image_HWC: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Halve, insert zeros, convolve with an uneven 3 x 3 kernel: the overlap checkerboards."""
    height, width = image_HWC.shape[:2]
    small = cv2.resize(
        image_HWC, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA
    )
    stuffed = np.zeros((small.shape[0] * 2, small.shape[1] * 2, 3), np.float32)
    stuffed[::2, ::2] = small
    side = np.array([0.5, 1.0, 0.5]) + rng.uniform(-0.06, 0.06, size=3)
    kernel = np.outer(side, side)
    kernel *= 4.0 / kernel.sum()
    spread = cv2.filter2D(stuffed, -1, kernel.astype(np.float32), borderType=cv2.BORDER_REFLECT)
    result: ByteArray = np.clip(np.rint(spread[:height, :width]), 0, 255).astype(np.uint8)
    return result


def spectral_notch(image_HWC: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Remove a ring of spatial frequencies and add a faint periodic grid."""
    height, width = image_HWC.shape[:2]
    fy = np.fft.fftfreq(height)[:, None]
    fx = np.fft.rfftfreq(width)[None, :]
    radius = np.hypot(fy, fx)
    centre, breadth = rng.uniform(0.15, 0.35), rng.uniform(0.03, 0.08)
    keep = 1.0 - np.exp(-(((radius - centre) / breadth) ** 2))
    spectrum = np.fft.rfft2(image_HWC.astype(np.float64), axes=(0, 1))
    filtered = np.fft.irfft2(spectrum * keep[..., None], s=(height, width), axes=(0, 1))
    period = int(rng.choice([4, 8]))
    y, x = np.mgrid[:height, :width]
    grid = np.cos(2 * np.pi * y / period) + np.cos(2 * np.pi * x / period)
    filtered += rng.uniform(0.8, 2.0) * grid[..., None]
    result: ByteArray = np.clip(np.rint(filtered), 0, 255).astype(np.uint8)
    return result


OPERATIONS = {
    "down_and_up": down_and_up,
    "transposed_convolution": transposed_convolution,
    "spectral_notch": spectral_notch,
}


def resample(image_HWC: ByteArray, rng: np.random.Generator) -> Forged[ByteArray]:
    """Apply one operation to a region (half of the time) or to the whole picture.

    image_HWC: uint8 RGB.
    """
    height, width = image_HWC.shape[:2]
    name = str(rng.choice(sorted(OPERATIONS)))
    changed = OPERATIONS[name](image_HWC, rng)
    mask: FloatArray | None = None
    if rng.random() < 0.5:
        mask = soften(hull_mask(height, width, rng, (0.35, 0.7)), rng)
        changed = blend(image_HWC, changed, mask)
    strength = picture_distance(image_HWC, changed, mask)
    return Forged(changed, (STILL,), strength, CUE, name, mask)
