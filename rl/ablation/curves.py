"""Learning curves: what the logs of a row's stages say, step by step, over all seeds."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moderation.calibration.draws import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One figure of one row over steps. value_SM: a line a seed, NaN where a run has not logged."""

    step_M: Floats
    value_SM: Floats

    @property
    def mean_M(self) -> Floats:
        """Mean over the seeds that have logged the step."""
        count_M = np.isfinite(self.value_SM).sum(axis=0)
        mean_M: Floats = np.nansum(self.value_SM, axis=0) / count_M
        return mean_M

    @property
    def band_2M(self) -> Floats:
        """Least and greatest of the seeds."""
        band_2M: Floats = np.stack([np.nanmin(self.value_SM, 0), np.nanmax(self.value_SM, 0)])
        return band_2M


def read_curve(logs: Sequence[Path], name: str) -> Curve | None:
    """The figure `name` of the logs of all seeds; None where none of them has it."""
    series = [_series(path, name) for path in logs]
    steps = sorted({step for one in series for step in one})
    if not steps:
        return None
    value_SM = np.array([[one.get(step, math.nan) for step in steps] for one in series])
    return Curve(np.array(steps, dtype=np.float64), value_SM)


def smoothed(curve: Curve, window: int) -> Curve:
    """Running means over `window` logged steps: a reward of few prompts is noise step by step."""
    width = min(window, curve.step_M.size)
    kernel = np.ones(width) / width
    value_SM = np.stack([np.convolve(line, kernel, "valid") for line in curve.value_SM])
    return Curve(np.convolve(curve.step_M, kernel, "valid"), value_SM)


def _series(path: Path, name: str) -> Mapping[int, float]:
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = ((line["step"], line.get(name)) for line in lines)
    return {step: float(v) for step, v in found if v is not None and math.isfinite(v)}
