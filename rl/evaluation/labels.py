"""The rows of a manifest that an evaluation reads: which file, and the truth about it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from moderation.errors import ManifestError
from moderation.types import LEVELS_K
from rl.corpus.manifest import NAME, is_in

Row = Mapping[str, Any]

CALIBRATION_SPLITS = ("calibration", "validation")


def read_labels(manifest: Path) -> list[dict[str, Any]]:
    """Rows of a Parquet manifest, or of the one in a corpus folder, with all their columns.

    Needs the columns `path` and `is_manipulated`. `source` is the path where there is none, and
    `y` NaN. `file` is added: where the media lies (a relative path starts at the manifest).

    Raises:
        ManifestError: no such manifest, a column is missing, or a label is off the scale.
    """
    path = manifest / NAME if manifest.is_dir() else manifest
    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(
            f"{path} is no readable manifest ({type(error).__name__})",
            expected="a Parquet manifest, as `moderation corpus build` and `import` write it",
            remedy="Name the corpus with --corpus, or its manifest with --manifest.",
        ) from error
    for number, row in enumerate(rows):
        where = f"{path}, row {number}"
        if not row.get("path") or not isinstance(row.get("is_manipulated"), bool):
            raise ManifestError(
                f"{where}: path {row.get('path')!r}, is_manipulated {row.get('is_manipulated')!r}",
                expected="a text column path and a true-or-false column is_manipulated",
                remedy="Write the manifest anew.",
            )
        y = row.get("y")
        row["y"] = math.nan if y is None else float(y)
        if not (math.isnan(row["y"]) or 0 <= row["y"] <= LEVELS_K - 1):
            raise ManifestError(
                f"{where}: label y = {y}",
                expected="a number from 0 (fabricated) to 9 (authentic)",
                remedy="Correct the row.",
            )
        row["source"] = row.get("source") or row["path"]
        row["split"] = row.get("split") or ""
        row["file"] = path.parent / row["path"]
    return rows


def test_splits(rows: Sequence[Row]) -> tuple[str, ...]:
    """The splits whose names begin with `test`, or the only split of a manifest.

    Raises:
        ManifestError: there are several splits, and none of them is a test split.
    """
    there = sorted({row["split"] for row in rows})
    found = tuple(name for name in there if name.startswith("test"))
    if found or len(there) == 1:
        return found or tuple(there)
    named = ", ".join(name or "(none)" for name in there) or "no rows"
    raise ManifestError(
        f"no split begins with 'test': {named}",
        expected="a test split, or the name of another",
        remedy="Name the rows to evaluate with --split.",
    )


def in_splits(rows: Sequence[Row], splits: Sequence[str]) -> list[Row]:
    """Rows of the named splits; `test` also means `test-in-domain` and the like.

    Raises:
        ManifestError: no row is in one of them.
    """
    for name in splits:
        if not any(is_in(row["split"], name) for row in rows):
            there = ", ".join(sorted({row["split"] or "(none)" for row in rows}))
            raise ManifestError(
                f"no row is in the split {name!r}",
                expected=f"one of those in the manifest: {there}",
                remedy="Name another with --split.",
            )
    return [row for row in rows if any(is_in(row["split"], name) for name in splits)]


def calibration_rows(rows: Sequence[Row], evaluated: Sequence[Row]) -> tuple[str, list[Row]]:
    """The split to fit probabilities on and its rows; ("", []) where there is none.

    Rows whose source is evaluated are left out: a split that leaks fits nothing.
    """
    taken = {row["source"] for row in evaluated}
    splits = {row["split"] for row in evaluated}
    for name in CALIBRATION_SPLITS:
        free = [row for row in rows if row["split"] == name and row["source"] not in taken]
        if free and name not in splits:
            return name, free
    return "", []
