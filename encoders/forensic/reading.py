"""What one signal family says of one frame, and the block arithmetic that the families share.

Dimensions in names: H, W pixels; h, w blocks of `BLOCK` x `BLOCK` pixels; D features.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from encoders.types import ByteArray, FloatArray

BLOCK = 16
SIDE_MIN = 32
SIDE_MAX = 1024
_FULL_HEAT = 8.0


@dataclass(frozen=True, slots=True)
class Reading:
    """features: name -> value; values: signal name -> value in the unit of the catalogue.

    heat_maps: signal name -> float32 (h, w) in [0, 1], for spatial signals only.
    """

    features: Mapping[str, float]
    values: Mapping[str, float]
    heat_maps: Mapping[str, FloatArray] = field(default_factory=dict)


def analysis_luma(pixels_HWC: ByteArray) -> FloatArray:
    """BT.601 luma in [0, 255], float32, both sides within [32, 1024].

    Smaller pictures are continued at their edges, larger ones averaged over whole pixels, so
    that nothing is interpolated: interpolation would leave traces that the families look for.
    """
    longest = max(pixels_HWC.shape[:2])
    if longest > SIDE_MAX:
        factor = -(-longest // SIDE_MAX)
        pixels_HWC = np.asarray(Image.fromarray(pixels_HWC).reduce(factor))
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    luma_HW: FloatArray = pixels_HWC.astype(np.float32) @ weights
    short_H, short_W = (max(0, SIDE_MIN - side) for side in luma_HW.shape)
    if short_H or short_W:
        luma_HW = np.pad(luma_HW, ((0, short_H), (0, short_W)), mode="edge")
    return luma_HW


def block_view(values_HW: FloatArray, side: int = BLOCK) -> FloatArray:
    """(h, w, side, side) view of whole blocks; ragged right and lower edges are left out."""
    h, w = values_HW.shape[0] // side, values_HW.shape[1] // side
    cropped = values_HW[: h * side, : w * side]
    return cropped.reshape(h, side, w, side).swapaxes(1, 2)


def block_mean(values_HW: FloatArray) -> FloatArray:
    """(h, w) block means."""
    mean_hw: FloatArray = block_view(values_HW).mean(axis=(2, 3), dtype=np.float32)
    return mean_hw


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a block's brightness and texture are, to tell content from tampering.

    brightness_hw: [0, 1]. texture_hw: natural log of the mean absolute gradient after a 5 x 5 blur.
    usable_hw: neither clipped nor without any texture.
    """

    brightness_hw: FloatArray
    texture_hw: FloatArray
    usable_hw: npt.NDArray[np.bool_]


def block_context(luma_HW: FloatArray) -> BlockContext:
    """Brightness and texture of each block of a (H, W) luma in [0, 255]."""
    # Smoothed first: texture must not rise with the very noise that it is to explain.
    coarse_HW = ndimage.uniform_filter(luma_HW, 5, mode="nearest")
    gradient_HW = np.zeros_like(luma_HW)
    gradient_HW[:, :-2] += np.abs(coarse_HW[:, 2:] - coarse_HW[:, :-2])
    gradient_HW[:-2] += np.abs(coarse_HW[2:] - coarse_HW[:-2])
    brightness_hw = block_mean(luma_HW)
    texture_hw = block_mean(gradient_HW)
    usable_hw = (brightness_hw > 6) & (brightness_hw < 249) & (texture_hw > 0.2)
    return BlockContext(
        brightness_hw / np.float32(255), np.log(texture_hw + np.float32(0.2)), usable_hw
    )


def robust_z(values: FloatArray, usable: npt.NDArray[np.bool_], scale_min: float) -> FloatArray:
    """Deviation from the median in units of 1.4826 MAD; 0 where not usable."""
    if int(usable.sum()) < 8:
        return np.zeros_like(values)
    centre = np.median(values[usable])
    scale = 1.4826 * np.median(np.abs(values[usable] - centre))
    z: FloatArray = ((values - centre) / max(float(scale), scale_min)).astype(np.float32)
    return np.where(usable, z, np.float32(0))


def inconsistency(log_hw: FloatArray, context: BlockContext, scale_min: float = 0.1) -> FloatArray:
    """How far a block departs from what its brightness and texture predict, as robust z (h, w).

    A quadratic in brightness and texture is fitted to the frame's own blocks (edited blocks are
    few), its residual scaled by the MAD, and averaged over 3 x 3 blocks: edits are coherent.
    """
    usable = context.usable_hw
    if int(usable.sum()) < 16:
        return np.zeros_like(log_hw)
    t, b = context.texture_hw.astype(np.float64), context.brightness_hw.astype(np.float64)
    design = np.stack([np.ones_like(t), t, t * t, b, b * b, t * b], axis=-1)
    rows, target = design[usable], log_hw[usable].astype(np.float64)
    gram = rows.T @ rows + 1e-3 * len(rows) * np.diag([0, 1, 1, 1, 1, 1])
    residual_hw = log_hw - design @ np.linalg.solve(gram, rows.T @ target)
    z_hw = np.clip(robust_z(residual_hw.astype(np.float32), usable, scale_min), -30, 30)
    smooth: FloatArray = ndimage.uniform_filter(z_hw, 3, mode="nearest")
    return smooth


def strongest(values_hw: FloatArray, share: float = 0.02) -> float:
    """Mean of the largest `share` of the blocks (at least one)."""
    flat = np.sort(values_hw, axis=None)
    return float(flat[-max(1, round(share * flat.size)) :].mean())


def heat(values_hw: FloatArray, full: float = _FULL_HEAT) -> FloatArray:
    """Map of deviations to [0, 1]; `full` and beyond is 1."""
    scaled: FloatArray = np.clip(np.abs(values_hw) / full, 0, 1).astype(np.float32)
    return scaled


def map_features(prefix: str, z_hw: FloatArray) -> dict[str, float]:
    """Spread, tails and strongest zone of a map of deviations."""
    low, middle, high = np.percentile(z_hw, [5, 50, 95])
    return {
        f"{prefix}_p5": float(low),
        f"{prefix}_p50": float(middle),
        f"{prefix}_p95": float(high),
        f"{prefix}_spread": float(z_hw.std()),
        f"{prefix}_top": strongest(np.maximum(z_hw, 0)),
        f"{prefix}_bottom": strongest(np.maximum(-z_hw, 0)),
    }
