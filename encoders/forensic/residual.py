"""High-pass residuals and their neighbour statistics.

Source: J. Fridrich, J. Kodovsky, "Rich Models for Steganalysis of Digital Images", IEEE TIFS
7(3), 2012 (second-order, 3x3 and 5x5 residuals, truncated and quantised, co-occurrences); used
against splicing by D. Cozzolino, G. Poggi, L. Verdoliva, "Splicebuster", WIFS 2015.
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
    strongest,
)
from encoders.types import FloatArray

KERNEL_3X3 = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4
KERNEL_5X5 = (
    np.array(
        [
            [-1, 2, -2, 2, -1],
            [2, -6, 8, -6, 2],
            [-2, 8, -12, 8, -2],
            [2, -6, 8, -6, 2],
            [-1, 2, -2, 2, -1],
        ],
        np.float32,
    )
    / 12
)


def residual_second(luma_HW: FloatArray) -> FloatArray:
    """Second-order residual along the rows, (H, W)."""
    out = np.zeros_like(luma_HW)
    out[:, 1:-1] = (luma_HW[:, :-2] + luma_HW[:, 2:]) / 2 - luma_HW[:, 1:-1]
    return out


def residual_3x3(luma_HW: FloatArray) -> FloatArray:
    """3 x 3 residual, (H, W): separable, [-1 2 -1] along both axes."""
    rows = np.zeros_like(luma_HW)
    rows[:, 1:-1] = 2 * luma_HW[:, 1:-1] - luma_HW[:, :-2] - luma_HW[:, 2:]
    out = np.zeros_like(luma_HW)
    out[1:-1] = (rows[:-2] + rows[2:] - 2 * rows[1:-1]) / 4
    return out


def residual_5x5(luma_HW: FloatArray) -> FloatArray:
    """5 x 5 residual, (H, W)."""
    out: FloatArray = ndimage.correlate(luma_HW, KERNEL_5X5, mode="mirror")
    return out


def _neighbours(residual_HW: FloatArray, name: str) -> dict[str, float]:
    """Shares of equal, opposite and doubly-zero neighbours after quantising by the scale."""
    step = max(0.5, float(np.abs(residual_HW).mean()))
    quantised = np.clip(np.rint(residual_HW / step), -2, 2).astype(np.int8)
    out: dict[str, float] = {}
    for axis, (a, b) in {
        "rows": (quantised[:, :-1], quantised[:, 1:]),
        "columns": (quantised[:-1], quantised[1:]),
    }.items():
        out[f"{name}_{axis}_equal"] = float((a == b).mean())
        out[f"{name}_{axis}_opposite"] = float((a * b < 0).mean())
        out[f"{name}_{axis}_zeros"] = float(((a == 0) & (b == 0)).mean())
    return out


def read_residual(luma_HW: FloatArray, context: BlockContext) -> Reading:
    """Residual statistics of a (H, W) luma, and where the fine residual is out of proportion.

    The map compares the 5x5 with the second-order residual block by block: interpolation, blur
    and generators alter that proportion whatever the contrast.
    """
    second, third, fifth = residual_second(luma_HW), residual_3x3(luma_HW), residual_5x5(luma_HW)
    features: dict[str, float] = {}
    for name, values in (("second", second), ("r3x3", third), ("r5x5", fifth)):
        square = values * values
        variance = float(square.mean(dtype=np.float64))
        fourth = float((square * square).mean(dtype=np.float64))
        spread = float(np.sqrt(variance))
        features[f"{name}_std"] = float(np.log(spread + 0.05))
        features[f"{name}_kurtosis"] = float(np.log1p(fourth / (variance * variance + 1e-6)))
        features[f"{name}_quiet"] = float((np.abs(values) < 0.5 * spread + 1e-3).mean())
    features.update(_neighbours(third, "r3x3"))
    proportion_hw = np.log(block_mean(np.abs(fifth)) + np.float32(0.1)) - np.log(
        block_mean(np.abs(second)) + np.float32(0.1)
    )
    z_hw = inconsistency(proportion_hw, context)
    features["proportion"] = float(np.median(proportion_hw))
    features.update(map_features("map", z_hw))
    name = "image.residual_inconsistency"
    return Reading(features, {name: strongest(np.abs(z_hw))}, {name: heat(z_hw)})
