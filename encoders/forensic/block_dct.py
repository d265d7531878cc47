"""Traces of 8 x 8 block compression: the grid, where it is displaced, and double quantisation.

Sources: Z. Fan, R. de Queiroz, "Identification of bitmap compression history", IEEE TIP 12(2),
2003 (grid); W. Li, Y. Yuan, N. Yu, "Passive detection of doctored JPEG image via block artifact
grid extraction", Signal Processing 89, 2009 (displaced grid); A. Popescu, H. Farid, "Statistical
tools for digital forensics", IH 2004 (peaks and gaps of doubly quantised histograms);
J. Frank et al., "Leveraging Frequency Analysis", ICML 2020 (arXiv:2003.08685: DCT energies).
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from encoders.forensic.reading import Reading, block_view, heat, strongest
from encoders.types import FloatArray

_DCT = fft.dct(np.eye(8), norm="ortho", axis=0).astype(np.float32)
_DIAGONAL = np.add.outer(np.arange(8), np.arange(8))
_LOW_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1))
_STEPS = np.arange(2, 33, dtype=np.float32)
_BLOCKS_MAX = 4096
_ROUNDING = 0.3


def edge_phases(luma_HW: FloatArray) -> FloatArray:
    """Step beyond the neighbouring steps at each phase of an 8-pixel period, (h, w, 8).

    Phase k holds the step between columns k and k + 1 (mod 8), averaged in blocks of 16.
    """
    step = np.zeros_like(luma_HW)
    np.abs(np.diff(luma_HW, axis=1), out=step[:, :-1])
    excess = np.zeros_like(luma_HW)
    excess[:, 1:-2] = step[:, 1:-2] - (step[:, :-3] + step[:, 2:-1]) / 2
    np.clip(excess, -4, 4, out=excess)
    blocks = block_view(excess).mean(axis=2)
    phases: FloatArray = (blocks[..., :8] + blocks[..., 8:]) / 2
    return phases


def displacement(phases_hw8: FloatArray) -> tuple[FloatArray, float, int]:
    """Map of evidence for another grid than the frame's own, the grid's strength, its phase.

    Map (h, w): how much stronger the best other phase is than the frame's, in units of the
    scatter of phases without a grid. Strength: contrast of the frame's grid over its scatter in
    areas of 5 x 5 blocks, so that above 1 it can be seen there; below 1 without a grid. The two
    phases beside a grid's are depressed by it and left out.
    """
    whole = phases_hw8.reshape(-1, 8).mean(axis=0)
    own = int(whole.argmax())
    far = [(own + k) % 8 for k in range(2, 7)]
    contrast_hw = phases_hw8[..., own] - phases_hw8[..., far].mean(axis=2)
    strength = float(5 * contrast_hw.mean() / (contrast_hw.std() + 0.05))
    smooth = ndimage.uniform_filter(phases_hw8, (5, 5, 1), mode="nearest")
    rest = smooth[..., far]
    scatter = np.abs(rest - np.median(rest, axis=2, keepdims=True))
    noise = np.float32(1.4826 * np.median(scatter) + 0.02)
    map_hw: FloatArray = (rest.max(axis=2) - smooth[..., own]) / noise
    return map_hw, strength, own


def quantisation_step(coefficients_n: FloatArray) -> float:
    """Largest step of 2..32 whose multiples the coefficients sit on; 1 where there is none.

    The mean of cos(2 pi c / q) is exp(-2 pi^2 s^2 / q^2) on a grid of step q blurred by a
    deviation s: 0.3 after rounding to 8-bit RGB. A coarser step of an earlier compression
    falls short of that, since its multiples have been moved.
    """
    best = 1.0
    for step in _STEPS:
        used = coefficients_n[np.abs(coefficients_n) > step / 2]
        if used.size < 64:
            continue
        expected = math.exp(-2 * (math.pi * _ROUNDING / step) ** 2)
        if float(np.cos(used * (2 * np.pi / step)).mean()) > 0.92 * expected:
            best = float(step)
    return best


def histogram_roughness(levels_n: npt.NDArray[np.int64]) -> float:
    """Natural log of chi-square a bin between a histogram of |levels| 1.. and a smooth one.

    The smooth one is a cubic through the log counts. About 0 without double quantisation; the
    peaks and gaps that it leaves make it large.
    """
    counts = np.bincount(np.minimum(np.abs(levels_n), 17), minlength=18)[1:17].astype(np.float64)
    last = int(np.flatnonzero(counts >= 4)[-1]) + 1 if np.any(counts >= 4) else 0
    if last < 7:
        return 0.0
    position = np.arange(last, dtype=np.float64)
    logs = np.log(counts[:last] + 1)
    fitted = np.polyval(np.polyfit(position, logs, 3), position)
    variance = 1 / (np.exp(fitted) + 1) + 0.02
    return float(np.log(((logs - fitted) ** 2 / variance).sum() / (last - 4) + 0.1))


def read_block_dct(luma_HW: FloatArray) -> Reading:
    """Block-compression traces of a (H, W) luma in [0, 255]."""
    map_x, strength_x, phase_x = displacement(edge_phases(luma_HW))
    map_y, strength_y, phase_y = displacement(edge_phases(luma_HW.T))
    map_hw = np.maximum(map_x, map_y.T)
    top, left = (phase_y + 1) % 8, (phase_x + 1) % 8
    blocks = block_view(luma_HW[top:, left:], 8).reshape(-1, 8, 8)
    if len(blocks) > _BLOCKS_MAX:
        blocks = blocks[:: -(-len(blocks) // _BLOCKS_MAX)]
    coefficients = _DCT @ (blocks - np.float32(128)) @ _DCT.T
    energy = np.log(np.abs(coefficients).mean(axis=0) + np.float32(0.05))
    profile = np.array([energy[d == _DIAGONAL].mean() for d in range(1, 15)])
    roughness: list[float] = []
    for row, column in _LOW_FREQUENCIES:
        values = coefficients[:, row, column]
        step = quantisation_step(values)
        roughness.append(histogram_roughness(np.rint(values / step).astype(np.int64)))
    # Without a grid of its own a frame cannot have a displaced one.
    gate_x, gate_y = (float(np.clip((s - 0.7) / 2, 0, 1)) for s in (strength_x, strength_y))
    gate = max(gate_x, gate_y)
    suspect_hw = np.maximum(map_x * gate_x, map_y.T * gate_y)
    features = {f"dct_{i + 1:02d}": float(v) for i, v in enumerate(profile - profile.mean())}
    features |= {
        "grid_strength_x": float(np.log1p(max(strength_x, 0))),
        "grid_strength_y": float(np.log1p(max(strength_y, 0))),
        "grid_moved": float(gate * ((phase_x != 7) or (phase_y != 7))),
        "map_p5": float(np.percentile(map_hw, 5)),
        "map_p50": float(np.median(map_hw)),
        "map_top": strongest(map_hw),
        "suspect_top": strongest(suspect_hw),
        "roughness_mean": float(np.mean(roughness)),
        "roughness_max": float(np.max(roughness)),
    }
    name = "image.grid_displacement"
    values_by_signal = {
        name: strongest(np.maximum(suspect_hw, 0)),
        "image.double_quantisation": float(np.mean(roughness)),
    }
    return Reading(features, values_by_signal, {name: heat(np.maximum(suspect_hw, 0), 4.0)})
