"""Tables of any columns, as Parquet, CSV or JSON lines."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moderation.errors import ConfigurationError, ManifestError

SUFFIXES = (".parquet", ".csv", ".jsonl")


def read_table(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Those of `columns` that a file has. Cells of CSV are text; empty ones are None.

    Raises:
        ManifestError: it cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path, columns)
        names, rows = _rows(path)
        present = [name for name in columns if name in names]
        return {name: [row.get(name) for row in rows] for name in present}
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(
            f"{path} cannot be read: {error}",
            expected=f"a table, {', '.join(SUFFIXES)}",
            remedy="Name another file.",
        ) from error


def _parquet(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        present = [name for name in columns if name in file.schema_arrow.names]
        table = file.read(columns=present)
    return {name: table.column(name).to_pylist() for name in present}


def _rows(path: Path) -> tuple[set[str], list[dict[str, Any]]]:
    """The names of all columns, and the rows."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"it ends in {suffix!r}")
    with path.open(encoding="utf-8", newline="") as file:
        if suffix == ".jsonl":
            rows = [json.loads(line) for line in file if line.strip()]
            if not all(isinstance(row, dict) for row in rows):
                raise ValueError("a line is no object")
            return {name for row in rows for name in row}, rows
        csv.field_size_limit(2**31 - 1)  # a long rationale is one field
        reader = csv.DictReader(file)
        filled = [{key: cell or None for key, cell in row.items()} for row in reader]
        return set(reader.fieldnames or ()), filled


def check_table(out: Path) -> None:
    """Find out before the work starts that `out` can be written.

    Raises:
        ConfigurationError: an unknown suffix, or no such folder.
    """
    if out.suffix.lower() not in SUFFIXES or not out.parent.is_dir():
        raise ConfigurationError(
            f"output file {out} cannot be written",
            expected=f"a file in an existing folder, ending in one of {', '.join(SUFFIXES)}",
            remedy="Name another file.",
        )


def write_table(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write rows with the same columns, in the format of a suffix that `check_table` lets pass."""
    suffix = out.suffix.lower()
    if suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist([dict(row) for row in rows]), out)
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        if suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, list(rows[0]) if rows else [])
            writer.writeheader()
            writer.writerows(rows)
