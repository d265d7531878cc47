"""A region that occurs twice: the autocorrelation of the signs of the residual.

Source: J. Fridrich, D. Soukal, J. Lukas, "Detection of Copy-Move Forgery in Digital Images",
DFRWS 2003, section 3.2 (autocorrelation of the high-passed picture). Residuals are limited to
[-1, 1] first so that strong edges do not drown everything else.
"""

import numpy as np
from scipy import fft, ndimage

from encoders.forensic.reading import BLOCK, Reading, block_mean
from encoders.forensic.residual import residual_3x3
from encoders.types import FloatArray

_NEAR = 24


def limited_residual(luma_HW: FloatArray) -> FloatArray:
    """3 x 3 residual limited to one grey level either way, (H, W)."""
    out: FloatArray = np.clip(residual_3x3(luma_HW), -1, 1)
    return out


def strongest_shift(signs_HW: FloatArray) -> tuple[int, int, float]:
    """Shift (rows, columns) with the highest circular autocorrelation, and its height.

    Height: in standard deviations over all shifts further than 24 pixels; 0 where the picture
    is too small or has no residual.
    """
    height, width = signs_HW.shape
    spectrum = fft.rfft2(signs_HW)
    power = spectrum.real**2 + spectrum.imag**2
    correlation = fft.irfft2(power, s=(height, width))
    half = correlation[: height // 2 + 1].copy()
    rows = np.arange(half.shape[0])
    columns = np.minimum(np.arange(width), width - np.arange(width))
    half[(rows[:, None] < _NEAR) & (columns[None] < _NEAR)] = 0
    # Block compression repeats along the axes of its own grid: not a copy.
    half[rows < 4] = 0
    half[:, columns < 4] = 0
    spread = float(half.std())
    if spread <= 1e-6 * max(float(correlation[0, 0]), 1e-6):
        return 0, 0, 0.0
    best = int(half.argmax())
    row, column = divmod(best, width)
    return row, column, float(half[row, column] / spread)


def read_copy_move(luma_HW: FloatArray) -> Reading:
    """Evidence that part of a (H, W) luma is a copy of another part, and both places."""
    signs = limited_residual(luma_HW)
    row, column, height = strongest_shift(signs)
    name = "image.copy_move_peak"
    product = signs * np.roll(signs, (row, column), axis=(0, 1))
    local_hw = ndimage.uniform_filter(block_mean(product), 3, mode="constant")
    energy_hw = ndimage.uniform_filter(block_mean(signs * signs), 3, mode="constant")
    match_hw = np.where(energy_hw > 0.02, local_hw / np.maximum(energy_hw, 0.02), 0)
    h, w = match_hw.shape
    source_hw = np.roll(match_hw, (-round(row / BLOCK), -round(column / BLOCK)), axis=(0, 1))
    both = np.clip(np.maximum(match_hw, source_hw), 0, 1) if height > 0 else np.zeros((h, w))
    best = float(np.clip(match_hw, 0, 1).max()) if height > 0 else 0.0
    features = {"peak": float(np.log1p(max(height, 0))), "match": best}
    return Reading(features, {name: height}, {name: both.astype(np.float32)})
