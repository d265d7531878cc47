"""Recorded scores: rows of `moderation score --out` with a column `probability`, and labels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from encoders.types import Modality
from moderation.calibration.calibrator import FittedCalibrator
from moderation.errors import ManifestError
from moderation.replay.calibrating import JUDGED_COLUMNS, with_probabilities
from moderation.table_files import read_table
from moderation.triage.context import Calibrated, Unscored
from moderation.types import Disposition

Value = TypeVar("Value")

COLUMNS = (
    "path",
    "sha256",
    "modality",
    "probability",
    "calibrator",
    "error_code",
    "surface",
    "reach",
    "remaining_views",
    "disagreement",
    "reported_clause",
    "is_manipulated",
    "disposition",
)


@dataclass(frozen=True, slots=True)
class RecordedProbability:
    """P(manipulated) as a file has it."""

    probability: float
    calibrator_id: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability {self.probability} is not in [0, 1]")


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """One row. is_manipulated, disposition: the label and the live route; None where unknown."""

    path: str
    sha256: str | None
    modality: Modality | None
    evidence: Calibrated | Unscored
    surface: str
    reach: float
    remaining_views: float
    disagreement: float | None
    reported_clause: str | None
    is_manipulated: bool | None
    disposition: Disposition | None


def read_recorded(
    path: Path,
    *,
    surface: str,
    views: float,
    labels: Path | None = None,
    calibrator: FittedCalibrator | None = None,
) -> list[RecordedItem]:
    """The rows of a file. surface, views: where it has no columns `surface`, `remaining_views`.

    calibrator: makes the probabilities anew from the digits that are recorded. labels: a table
    with `is_manipulated` and `sha256`, or else `path`.

    Raises:
        ManifestError: it cannot be read, has no column `probability`, or a cell of it is wrong.
        CalibrationError: scores of a judge or mode that the calibrator was not fitted on.
    """
    if calibrator is None:
        columns = read_table(path, COLUMNS)
    else:
        raw = read_table(path, (*COLUMNS, *JUDGED_COLUMNS))
        calibrated = with_probabilities(raw, calibrator, str(path))
        columns = {name: cells for name, cells in calibrated.items() if name in COLUMNS}
    for needed in ("path", "probability"):
        if needed not in columns:
            raise ManifestError(
                f"{path} has no column {needed!r}",
                expected="results of `moderation score --out` with calibrated probabilities",
                remedy="Name the calibrator with --calibrator, or add the column.",
            )
    items = []
    for k, cells in enumerate(zip(*columns.values(), strict=True)):
        row = dict(zip(columns, cells, strict=True))
        try:
            items.append(_item(row, surface, views))
        except (ValueError, TypeError) as error:
            raise ManifestError(
                f"{path}, row {k + 1}: {error}",
                expected=f"columns of {', '.join(COLUMNS)}, each in its range",
                remedy="Correct that row.",
            ) from error
    return items if labels is None else _labelled(items, labels)


def _item(row: Mapping[str, Any], surface: str, views: float) -> RecordedItem:
    probability = _number(row.get("probability"))
    remaining = _number(row.get("remaining_views"))
    remaining = views if remaining is None else remaining
    reach = _number(row.get("reach"))
    evidence: RecordedProbability | Unscored
    if probability is None:
        evidence = Unscored(row.get("error_code") or "no_probability")
    else:
        evidence = RecordedProbability(probability, row.get("calibrator") or "recorded")
    return RecordedItem(
        path=str(row["path"]),
        sha256=row.get("sha256"),
        modality=_if_any(Modality, row.get("modality")),
        evidence=evidence,
        surface=row.get("surface") or surface,
        reach=remaining if reach is None else reach,
        remaining_views=remaining,
        disagreement=_number(row.get("disagreement")),
        reported_clause=row.get("reported_clause"),
        is_manipulated=flag(row.get("is_manipulated")),
        disposition=_if_any(Disposition, row.get("disposition")),
    )


def _if_any(make: Callable[[Any], Value], cell: Any) -> Value | None:
    return None if cell is None else make(cell)


def _number(cell: Any) -> float | None:
    value = None if cell is None else float(cell)
    return None if value is None or math.isnan(value) else value


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def flag(cell: Any) -> bool | None:
    """A truth value as tables write it.

    Raises:
        ValueError: it is anything else.
    """
    if cell is None or isinstance(cell, bool):
        return cell
    value = _FLAGS.get(str(cell).lower().removesuffix(".0"))
    if value is None:
        raise ValueError(f"{str(cell)[:50]!r} is neither true nor false")
    return value


def _labelled(items: list[RecordedItem], labels: Path) -> list[RecordedItem]:
    columns = read_table(labels, ("path", "sha256", "is_manipulated"))
    key = "sha256" if "sha256" in columns else "path"
    if "is_manipulated" not in columns or key not in columns:
        raise ManifestError(
            f"{labels} has no labels",
            expected="columns is_manipulated, and sha256 or path",
            remedy="Name a manifest with labels.",
        )
    try:
        truth = dict(zip(columns[key], map(flag, columns["is_manipulated"]), strict=True))
    except ValueError as error:
        raise ManifestError(
            f"{labels}: {error}", expected="true or false", remedy="Correct that label."
        ) from error
    return [
        replace(item, is_manipulated=truth.get(getattr(item, key), item.is_manipulated))
        for item in items
    ]
