"""What a platform knows of uploads beside their bytes: where they are, who reports them, views."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.errors import ManifestError
from moderation.table_files import read_table
from moderation.types import ItemResult

COLUMNS = (
    *("path", "sha256", "surface", "reach", "remaining_views", "views_an_hour"),
    "reported_clause",
)
# Without a forecast of its own, an upload is taken to be seen evenly over a day.
HOURS_OF_VIEWS = 24.0


@dataclass(frozen=True, slots=True)
class Upload:
    """surface: of the policy. remaining_views: still to come; reach: those that acting on it takes
    away; views_an_hour: now. reported_clause: that a report names, if any."""

    surface: str
    reach: float
    remaining_views: float
    views_an_hour: float
    reported_clause: str | None = None

    def __post_init__(self) -> None:
        amounts = (self.reach, self.remaining_views, self.views_an_hour)
        if not all(0.0 <= amount < math.inf for amount in amounts):
            raise ValueError(f"views {amounts} must be finite, and 0 or more")

    @classmethod
    def usual(cls, surface: str, views: float) -> "Upload":
        """One of which no more is known."""
        return cls(surface, views, views, views / HOURS_OF_VIEWS)


def uploads_of(results: Sequence[ItemResult], usual: Upload, table: Path | None) -> list[Upload]:
    """One a result, in order. table: with `sha256` or `path`, and any of the other columns;
    relative paths start at the table. Whoever is not in it, or has an empty cell, is `usual`.

    Raises:
        ManifestError: it cannot be read, names no files, or a cell is wrong.
    """
    if table is None:
        return [usual] * len(results)
    columns = read_table(table, COLUMNS)
    if not {"path", "sha256"} & columns.keys():
        raise ManifestError(
            f"{table} names no files",
            expected="a column path or sha256",
            remedy="Add one.",
        )
    by_path: dict[str, Upload] = {}
    by_bytes: dict[str, Upload] = {}
    for cells in zip(*columns.values(), strict=True):
        row = dict(zip(columns, cells, strict=True))
        upload = _upload(row, usual, table)
        if row.get("path"):
            by_path[os.path.realpath(table.parent / row["path"])] = upload
        if row.get("sha256"):
            by_bytes[row["sha256"]] = upload
    return [
        by_path.get(os.path.realpath(result.path)) or by_bytes.get(result.sha256 or "") or usual
        for result in results
    ]


def _upload(row: Mapping[str, Any], usual: Upload, table: Path) -> Upload:
    try:
        views = _number(row.get("remaining_views"), usual.remaining_views)
        return Upload(
            surface=row.get("surface") or usual.surface,
            reach=_number(row.get("reach"), views),
            remaining_views=views,
            views_an_hour=_number(row.get("views_an_hour"), views / HOURS_OF_VIEWS),
            reported_clause=row.get("reported_clause") or None,
        )
    except (ValueError, TypeError) as error:
        raise ManifestError(
            f"{table}, {row.get('path') or row.get('sha256')}: {error}",
            expected="views as numbers of 0 or more",
            remedy="Correct that row.",
        ) from error


def _number(cell: Any, usual: float) -> float:
    return usual if cell is None else float(cell)
