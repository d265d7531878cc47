"""Result files: rows as parquet, CSV or JSON lines, written atomically and read back exactly."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from moderation.errors import ConfigurationError, ManifestError
from moderation.results import COLUMNS, LATER_COLUMNS, Row, from_row, json_line


def _flat(row: Row, kinds: frozenset[str]) -> Row:
    return {
        name: json.dumps(value) if COLUMNS[name] in kinds and value is not None else value
        for name, value in row.items()
    }


def _csv_bytes(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(row, frozenset({"list", "json", "flag"})) for row in rows)
    return text.getvalue().encode()


def _json_bytes(rows: Sequence[Row]) -> bytes:
    return "".join(json_line(row) + "\n" for row in rows).encode()


def _parquet_bytes(rows: Sequence[Row]) -> bytes:
    arrow, parquet = _arrow()
    types = {
        "text": arrow.string(),
        "number": arrow.float64(),
        "count": arrow.int32(),
        "flag": arrow.bool_(),
        "list": arrow.list_(arrow.string()),
        "json": arrow.string(),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    flat = [_flat(row, frozenset({"json"})) for row in rows]
    sink = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(flat, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            "pyarrow is not installed",
            expected="pyarrow, to read or write .parquet files",
            remedy="Install real-moderation[judge], or use .csv or .jsonl.",
        ) from error
    return pa, parquet


_WRITERS: Mapping[str, Callable[[Sequence[Row]], bytes]] = {
    ".parquet": _parquet_bytes,
    ".csv": _csv_bytes,
    ".jsonl": _json_bytes,
}


SUFFIXES = tuple(_WRITERS)


def check_writable(out: Path) -> None:
    """Find out before the work starts that `out` can be written.

    Raises:
        ConfigurationError: an unknown suffix, no such folder, or a folder in its place.
    """
    suffix = out.suffix.lower()
    if suffix not in _WRITERS:
        raise ConfigurationError(
            f"output file {out} ends in {suffix or 'no suffix'!r}",
            expected=f"one of {', '.join(_WRITERS)}",
            remedy="Name the output after the format that you want.",
        )
    if suffix == ".parquet":
        _arrow()
    if out.is_dir() or not os.access(out.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"output file {out} cannot be written",
            expected="a file in an existing, writable folder",
            remedy="Create the folder, or name another file.",
        )


def write_rows(rows: Sequence[Row], out: Path) -> None:
    """Write `rows` to `out` in the format of its suffix, atomically: all of it or nothing."""
    content = _WRITERS[out.suffix.lower()](rows)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; give this one what `open` would have given it.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(out)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _typed(name: str, value: str) -> Any:
    kind = COLUMNS[name]
    if kind == "list" or (kind in {"flag", "json"} and value):
        return json.loads(value)
    if kind == "text":
        return value or None
    if value == "":
        return None
    return int(value) if kind == "count" else float(value)


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)  # a long rationale is one field
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            row = dict.fromkeys(LATER_COLUMNS) | row
            yield {name: _typed(name, row[name] or "") for name in COLUMNS}


def _json_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield dict.fromkeys(LATER_COLUMNS) | json.loads(line)


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Names of a parquet file's columns.

    Raises:
        ValueError: no parquet file.
    """
    _, parquet = _arrow()
    return tuple(parquet.read_schema(path).names)


def parquet_rows(path: Path, columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[Row]:
    """The named columns of a parquet file, row by row.

    Raises:
        ValueError: no parquet file, or a column is missing.
    """
    _, parquet = _arrow()
    with parquet.ParquetFile(path) as file:
        present = [name for name in columns if name in file.schema_arrow.names]
        missing = set(columns) - set(present)
        if missing - LATER_COLUMNS:
            raise ValueError(f"has no column named {', '.join(sorted(missing))}")
        for batch in file.iter_batches(columns=present):
            for row in batch.to_pylist():
                row |= dict.fromkeys(missing)
                for name, value in row.items():
                    if COLUMNS.get(name) == "json" and value is not None:
                        row[name] = json.loads(value)
                yield row


def read_rows(path: Path) -> list[Row]:
    """The rows of a file that `write_rows` wrote.

    Raises:
        ManifestError: it was written by something else.
    """
    reader = {".parquet": parquet_rows, ".csv": _csv_rows, ".jsonl": _json_rows}
    try:
        rows = list(reader[path.suffix.lower()](path))
        for row in rows:
            from_row(row)
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ManifestError(
            f"{path} holds no results of this program ({type(error).__name__}: {error})",
            expected="a file written by `moderation score --out`",
            remedy="Move it away, or name another output.",
        ) from error
    return rows
