"""How a film moves from frame to frame: steps, repeats, returns, and local changes.

Source of the second difference: C. Zheng et al., "D3: Training-Free AI-Generated Video Detection
Using Second-Order Features", ICCV 2025 (arXiv:2508.00701): the step from frame to frame changes
more in real footage than in generated footage. Repeats and returns: W. Wang, H. Farid,
"Exposing digital forgeries in video by detecting duplication", MM&Sec 2007.

The functions on (F, D) embeddings know nothing of forensics and serve any frame embedding.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from encoders.forensic.reading import block_mean, heat
from encoders.types import ByteArray, FloatArray, SecondsArray

GRID = 16
COLOUR_BINS = 8
_TINY = 1e-6


def frame_steps(embeddings_FD: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """||f_{t+1} - f_t||, (F - 1,)."""
    wide = embeddings_FD.astype(np.float64)
    steps: npt.NDArray[np.float64] = np.linalg.norm(np.diff(wide, axis=0), axis=1)
    return steps


def step_changes(embeddings_FD: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """||f_{t+2} - f_{t+1}|| - ||f_{t+1} - f_t||, (F - 2,): D3's second-order feature."""
    return np.diff(frame_steps(embeddings_FD))


def second_difference_std(embeddings_FD: npt.NDArray[np.floating]) -> float:
    """Standard deviation over time of `step_changes`; 0 for fewer than 3 frames. High: real."""
    changes = step_changes(embeddings_FD)
    return float(changes.std()) if changes.size else 0.0


def detours(embeddings_FD: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """1 - ||f_{t+2} - f_t|| / (||f_{t+1} - f_t|| + ||f_{t+2} - f_{t+1}||), (F - 2,) in [0, 1].

    0: the film goes straight on, or nothing moves. 1: it returns to where it was, as at a
    reversal.
    """
    wide = embeddings_FD.astype(np.float64)
    steps = frame_steps(wide)
    path = steps[1:] + steps[:-1]
    direct = np.linalg.norm(wide[2:] - wide[:-2], axis=1)
    return np.where(path > _TINY, np.clip(1 - direct / np.maximum(path, _TINY), 0, 1), 0.0)


def straightness(embeddings_FD: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """1 - 2 ||f_{t+1} - (f_t + f_{t+2}) / 2|| / ||f_{t+2} - f_t||, (F - 2,) in [0, 1].

    1: the middle frame is the mean of its neighbours, as an interpolated frame is.
    """
    wide = embeddings_FD.astype(np.float64)
    miss = np.linalg.norm(2 * wide[1:-1] - wide[2:] - wide[:-2], axis=1)
    direct = np.linalg.norm(wide[2:] - wide[:-2], axis=1)
    return np.where(direct > _TINY, np.clip(1 - miss / np.maximum(direct, _TINY), 0, 1), 0.0)


def repeats(embeddings_FD: npt.NDArray[np.floating], tolerance: float = 0.15) -> FloatArray:
    """For each step, 1 where frame t + 1 repeats an earlier frame, (F - 1,).

    Repeats: closer than `tolerance` of the film's median step. The nearest of all earlier
    frames counts, so loops and reversals show as well as freezes.
    """
    wide = embeddings_FD.astype(np.float64)
    steps = frame_steps(wide)
    if not steps.size:
        return np.zeros(0, np.float32)
    limit = tolerance * float(np.median(steps)) + _TINY
    nearest = [float(np.linalg.norm(wide[:t] - wide[t], axis=1).min()) for t in range(1, len(wide))]
    return (np.array(nearest) <= limit).astype(np.float32)


def frame_embedding(pixels_HWC: ByteArray) -> FloatArray:
    """Weight-free embedding of one frame: 16 x 16 luma and colour histograms, (280,) in [0, 1]."""
    luma = (pixels_HWC.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)) / 255
    height, width = luma.shape
    row_edges = np.arange(GRID) * height // GRID
    column_edges = np.arange(GRID) * width // GRID
    small = luma[np.minimum(row_edges, height - 1)][:, np.minimum(column_edges, width - 1)]
    if height >= GRID and width >= GRID:
        sums = np.add.reduceat(np.add.reduceat(luma, row_edges, axis=0), column_edges, axis=1)
        rows = np.diff(np.append(row_edges, height))
        columns = np.diff(np.append(column_edges, width))
        small = sums / np.outer(rows, columns)
    counts = [
        np.bincount((pixels_HWC[..., c] >> 5).ravel(), minlength=COLOUR_BINS) for c in range(3)
    ]
    colours = np.concatenate(counts) / (height * width)
    return np.concatenate([small.ravel(), colours]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FrameSketch:
    """What the motion family keeps of one frame, small enough to keep for a whole film.

    embedding_D: of `frame_embedding`. luma_HW: analysis luma, rounded.
    detail: natural log of the spread of the high-pass residual.
    """

    embedding_D: FloatArray
    luma_HW: ByteArray
    detail: float


def sketch(pixels_HWC: ByteArray, luma_HW: FloatArray, detail: float) -> FrameSketch:
    """What to keep of a frame."""
    return FrameSketch(frame_embedding(pixels_HWC), np.rint(luma_HW).astype(np.uint8), detail)


@dataclass(frozen=True, slots=True)
class Motion:
    """features: name -> (F - 1,) float64. values: signal name -> (F - 1,) value at each step.

    step_volatility: of the whole film, in median steps.
    heat_maps: of "video.local_change", one map a step.
    """

    features: dict[str, npt.NDArray[np.float64]]
    values: dict[str, npt.NDArray[np.float64]]
    step_volatility: float
    heat_maps: list[FloatArray]


def _local_change(before_HW: ByteArray, after_HW: ByteArray) -> tuple[FloatArray, float, float]:
    """Block differences (h, w), their mean in grey levels, and how much the top stands out."""
    change_hw = block_mean(np.abs(after_HW.astype(np.float32) - before_HW))
    change_hw = ndimage.uniform_filter(change_hw, 3, mode="nearest")
    top = float(np.percentile(change_hw, 98))
    usual = float(np.median(change_hw))
    return change_hw, float(change_hw.mean()), float(np.log((top + 0.3) / (usual + 0.3)))


def read_motion(sketches: list[FrameSketch], timestamps_seconds_F: SecondsArray) -> Motion:
    """Motion features and signals of a film of at least 3 frames of one size."""
    embeddings_FD = np.stack([sketch.embedding_D for sketch in sketches])
    steps = frame_steps(embeddings_FD)
    usual = float(np.median(steps)) + 1e-3
    changes = np.concatenate([[0.0], step_changes(embeddings_FD)])
    returning = np.concatenate([[0.0], detours(embeddings_FD)])
    # The straightness of a step says nothing where nothing moves.
    moving = np.concatenate([[0.0], np.minimum(steps[1:], steps[:-1])]) > 0.3 * usual
    straight = np.where(moving, np.append(0.0, straightness(embeddings_FD)), 0.0)
    repeated = repeats(embeddings_FD).astype(np.float64)
    gaps = np.maximum(np.diff(timestamps_seconds_F), 1e-3)
    detail = np.array([sketch.detail for sketch in sketches])
    jumps = np.abs(np.diff(detail))
    local = [_local_change(a.luma_HW, b.luma_HW) for a, b in pairwise(sketches)]
    mean_change = np.array([entry[1] for entry in local])
    excess = np.array([entry[2] for entry in local])
    colour_steps = frame_steps(embeddings_FD[:, GRID * GRID :])
    features = {
        "step": np.log(steps + 1e-3),
        "step_relative": np.log((steps + 1e-3) / usual),
        "step_change": changes / usual,
        "step_change_std": np.full(len(steps), np.log(second_difference_std(embeddings_FD) + 1e-3)),
        "detour": returning,
        "straight": straight,
        "repeated": repeated,
        "mean_change": np.log(mean_change + 0.1),
        "local_excess": excess,
        "detail_jump": jumps,
        "detail": detail[1:] - detail.mean(),
        "colour_step": np.log(colour_steps + 1e-3),
        "speed": np.log(steps / gaps + 1e-3),
    }
    values = {
        "video.repeated_frames": repeated,
        "video.return": np.where(moving, returning, 0.0),
        "video.straight_step": straight,
        "video.local_change": excess,
        "video.detail_jump": jumps,
    }
    volatility = second_difference_std(embeddings_FD) / usual
    scale = [float(np.percentile(entry[0], 99)) + 1.0 for entry in local]
    maps = [heat(entry[0], full) for entry, full in zip(local, scale, strict=True)]
    return Motion(features, values, volatility, maps)
