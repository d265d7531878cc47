"""Recorded arrivals: a table with when items came, their scores and their views."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from encoders.types import Modality
from moderation.calibration.calibrator import FittedCalibrator
from moderation.errors import ManifestError
from moderation.policy.harm import Floats
from moderation.replay.calibrating import JUDGED_COLUMNS, with_probabilities
from moderation.replay.recorded import flag
from moderation.simulation.arrivals import Arrivals
from moderation.table_files import read_table

COLUMNS = (
    "arrived_at",
    "probability",
    "score",
    "views",
    "views_scale_hours",
    "is_manipulated",
    "modality",
    "surface",
    "reported_clause",
    "disagreement",
    "length",
)
_NEEDED = ("arrived_at", "probability", "views", "views_scale_hours")


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Arrivals of a file. What it does not say is drawn by the seed.

    label_N: NaN without a label; it is drawn from the probability then. length_N: NaN where the
    duration of the review is not known. hours: until the last arrival's day is over.
    """

    hour_N: Floats
    probability_N: Floats
    score_N: Floats
    views_N: Floats
    scale_hours_N: Floats
    label_N: Floats
    length_N: Floats
    disagreement_N: Floats
    modality_N: tuple[Modality | None, ...]
    surface_N: tuple[str, ...]
    reported_N: tuple[str | None, ...]
    forecast_log_sd: float = 0.8
    length_cv: float = 0.6

    @property
    def hours(self) -> float:
        """Whole days, from midnight before the first arrival."""
        return 24.0 * math.floor(float(self.hour_N[-1]) / 24.0 + 1.0)

    def draw(self, rng: np.random.Generator) -> Arrivals:
        """The arrivals with one seed's labels, errors, durations and samples."""
        n = self.hour_N.size
        drawn_N = rng.random(n) < np.nan_to_num(self.probability_N, nan=0.5)
        shape = self.length_cv**-2
        return Arrivals(
            hour_N=self.hour_N,
            is_manipulated_N=np.where(np.isnan(self.label_N), drawn_N, self.label_N == 1.0),
            probability_N=self.probability_N,
            score_N=self.score_N,
            modality_N=self.modality_N,
            surface_N=self.surface_N,
            reported_N=self.reported_N,
            views_N=self.views_N,
            scale_hours_N=self.scale_hours_N,
            log_error_N=self.forecast_log_sd * rng.normal(size=n),
            length_N=np.where(
                np.isnan(self.length_N), rng.gamma(shape, 1.0 / shape, n), self.length_N
            ),
            mistake_N=rng.random(n),
            draw_N2=rng.random((n, 2)),
            disagreement_N=self.disagreement_N,
        )


def read_arrivals(
    path: Path, *, surface: str, calibrator: FittedCalibrator | None = None
) -> Recorded:
    """Arrivals of a Parquet, CSV or JSON-lines file; surface: where it names none.

    arrived_at: ISO 8601. views: in all; views_scale_hours: their peak comes at that age.
    length: duration of the review, as a multiple of the policy's expected minutes. calibrator:
    makes the probabilities anew from the digits that are recorded.

    Raises:
        ManifestError: it cannot be read, lacks a column, or a cell is off its range.
        CalibrationError: scores of a judge or mode that the calibrator was not fitted on.
    """
    if calibrator is None:
        columns = read_table(path, COLUMNS)
    else:
        raw = read_table(path, (*COLUMNS, *JUDGED_COLUMNS))
        columns = with_probabilities(raw, calibrator, str(path))
    missing = [name for name in _NEEDED if name not in columns]
    if missing or not columns["arrived_at"]:
        told = f"has no column {missing[0]!r}" if missing else "has no rows"
        raise ManifestError(
            f"{path} {told}",
            expected=f"columns {', '.join(_NEEDED)}, and any of {', '.join(COLUMNS[3:])}",
            remedy="Add it.",
        )
    try:
        return _recorded(columns, surface)
    except (ValueError, TypeError) as error:
        raise ManifestError(
            f"{path}: {error}",
            expected="times in ISO 8601, probabilities in [0, 1], positive views and scales",
            remedy="Correct that cell.",
        ) from error


def _recorded(columns: dict[str, list[Any]], surface: str) -> Recorded:
    n = len(columns["arrived_at"])
    nothing: list[Any] = [None] * n
    times = [_time(cell) for cell in columns["arrived_at"]]
    midnight = min(times).replace(hour=0, minute=0, second=0, microsecond=0)
    hour_N = np.array([(when - midnight).total_seconds() / 3600.0 for when in times])
    place_N = np.argsort(hour_N, kind="stable")

    def numbers(name: str, low: float, high: float) -> Floats:
        cells = columns.get(name, nothing)
        value_N = np.array([math.nan if cell is None else float(cell) for cell in cells])
        if not np.all(np.isnan(value_N) | ((value_N >= low) & (value_N <= high))):
            raise ValueError(f"a {name} is not in [{low:g}, {high:g}]")
        return value_N[place_N]

    def cells(name: str) -> Sequence[Any]:
        column = columns.get(name, nothing)
        return [column[k] for k in place_N]

    views_N, scale_N = numbers("views", 0.0, 1e12), numbers("views_scale_hours", 1e-3, 1e6)
    if np.isnan(views_N).any() or np.isnan(scale_N).any():
        raise ValueError("views or views_scale_hours is missing in a row")
    labels = [flag(cell) for cell in cells("is_manipulated")]
    return Recorded(
        hour_N=hour_N[place_N],
        probability_N=numbers("probability", 0.0, 1.0),
        score_N=numbers("score", 0.0, 9.0),
        views_N=views_N,
        scale_hours_N=scale_N,
        label_N=np.array([math.nan if label is None else float(label) for label in labels]),
        length_N=numbers("length", 0.0, 1e3),
        disagreement_N=numbers("disagreement", 0.0, 1.0),
        modality_N=tuple(None if cell is None else Modality(cell) for cell in cells("modality")),
        surface_N=tuple(cell or surface for cell in cells("surface")),
        reported_N=tuple(cells("reported_clause")),
    )


def _time(cell: Any) -> datetime:
    return cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
