"""Label files: a CSV or Parquet table of what is true of which file."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.errors import ManifestError
from moderation.result_files import parquet_columns, parquet_rows
from moderation.types import LEVELS_K

MANIFEST = "manifest.parquet"
_COLUMNS = (
    *("path", "sha256", "is_manipulated", "y", "source", "recipe", "generator"),
    *("modality", "split", "weight", "propensity"),
)
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Label:
    """The truth about one file.

    path: where it lies; sha256: of its bytes; at least one of the two is there. y: graded label
    in [0, 9], NaN where there is none. family: recipe, else generator, "" where unknown.
    weight: what the item counts for, above 0.
    """

    path: Path | None
    sha256: str | None
    is_manipulated: bool
    y: float
    source: str
    modality: str
    family: str
    split: str
    weight: float


def read_labels(path: Path) -> list[Label]:
    """The labels in a CSV or Parquet file, or in the manifest of a corpus folder.

    Needs `is_manipulated`, and `path` (relative ones start at the file) or `sha256`. May have
    `y`, `source` (without it, every file is its own), `recipe` or `generator`, `modality`,
    `split`, and `weight`, or the `propensity` of being labelled, whose inverse is the weight.

    Raises:
        ManifestError: it does not open, a column is missing, or a value cannot be.
    """
    file = path / MANIFEST if path.is_dir() else path
    try:
        rows = list(_parquet(file) if file.suffix.lower() == ".parquet" else _csv(file))
    except OSError as error:
        raise ManifestError(
            f"{file} does not open: {error.strerror or error}",
            expected="a CSV or Parquet file of labels, or a corpus folder",
            remedy="Name another with --labels.",
        ) from error
    except (ValueError, csv.Error) as error:
        raise ManifestError(
            f"{file}: {error}",
            expected="a CSV file with a header, or a Parquet file",
            remedy="Write the labels anew.",
        ) from error
    return [_label(row, file, number) for number, row in enumerate(rows, start=1)]


def _parquet(file: Path) -> Iterator[Mapping[str, Any]]:
    there = parquet_columns(file)
    _require_columns(there, file)
    return parquet_rows(file, [name for name in _COLUMNS if name in there])


def _csv(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        _require_columns(tuple(rows.fieldnames or ()), file)
        yield from rows


def _require_columns(there: tuple[str, ...], file: Path) -> None:
    missing = {"is_manipulated"} - set(there)
    if missing or not {"path", "sha256"} & set(there):
        raise ManifestError(
            f"{file} has the columns {', '.join(there) or '(none)'}",
            expected="is_manipulated, and path or sha256",
            remedy="Name the columns so.",
        )
    if {"weight", "propensity"} <= set(there):
        raise ManifestError(
            f"{file} has the columns weight and propensity",
            expected="one of the two: the weight is 1 / propensity",
            remedy="Leave one out.",
        )


def _label(row: Mapping[str, Any], file: Path, number: int) -> Label:
    def refuse(name: str, expected: str) -> ManifestError:
        return ManifestError(
            f"{file}, row {number}: {name} is {row.get(name)!r}",
            expected=expected,
            remedy="Correct the row.",
        )

    def value_of(name: str) -> float:
        value = row.get(name)
        if value in (None, ""):
            return math.nan
        try:
            return float(value)
        except ValueError:
            raise refuse(name, "a number") from None

    name, sha256 = row.get("path") or "", str(row.get("sha256") or "").lower()
    if not name and not sha256:
        raise refuse("path", "the path of a file, or its SHA-256")
    flag = row["is_manipulated"]
    truth = flag if isinstance(flag, bool) else _FLAGS.get(str(flag).strip().lower())
    if truth is None:
        raise refuse("is_manipulated", f"one of: {', '.join(_FLAGS)}")
    y = value_of("y")
    if not (math.isnan(y) or 0 <= y <= LEVELS_K - 1):
        raise refuse("y", "a number from 0 (fabricated) to 9 (authentic)")
    weight, propensity = value_of("weight"), value_of("propensity")
    if not math.isnan(weight) and not 0 < weight < math.inf:
        raise refuse("weight", "a number above 0")
    if not math.isnan(propensity) and not 0 < propensity <= 1:
        raise refuse("propensity", "a share in (0, 1]")
    known = [w for w in (weight, 1 / propensity) if not math.isnan(w)]
    return Label(
        path=file.parent / name if name else None,
        sha256=sha256 or None,
        is_manipulated=truth,
        y=y,
        source=str(row.get("source") or name or sha256),
        modality=str(row.get("modality") or ""),
        family=str(row.get("recipe") or row.get("generator") or ""),
        split=str(row.get("split") or ""),
        weight=known[0] if known else 1.0,
    )


def splits_of(labels: list[Label]) -> tuple[str, ...]:
    """The names of the splits that are there, sorted; "" where rows have none."""
    return tuple(sorted({label.split for label in labels}))


def in_splits(labels: list[Label], names: tuple[str, ...]) -> list[Label]:
    """Labels of the named splits; `test` also means `test-in-domain` and the like.

    Raises:
        ManifestError: no label is in one of them.
    """

    def is_in(split: str, name: str) -> bool:
        return split == name or split.startswith((f"{name}-", f"{name}_"))

    for name in names:
        if not any(is_in(label.split, name) for label in labels):
            there = ", ".join(split or "(none)" for split in splits_of(labels))
            raise ManifestError(
                f"no label is in the split {name!r}",
                expected=f"one of those that are there: {there}",
                remedy="Name another with --split.",
            )
    return [label for label in labels if any(is_in(label.split, name) for name in names)]
