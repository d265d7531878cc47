"""The list of what was built: one row a file, Parquet, the same bytes for the same rows."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from moderation.atomic import write_bytes

NAME = "manifest.parquet"
CLAIM = pa.struct(
    [
        ("modality", pa.string()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("cue", pa.string()),
        ("strength", pa.string()),
    ]
)
# collection, quality and mask are null in manifests that the builder did not write. quality: the
# weak operations and codec settings of a pair, separated by semicolons. mask: path of a grey PNG,
# empty where the change has no place in the picture.
# y: authenticity label in [0, 9]. m: severity in [0, 1]. start, end: seconds.
SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("modality", pa.string()),
        ("duration_seconds", pa.float64()),
        ("y", pa.float64()),
        ("m", pa.float64()),
        ("is_manipulated", pa.bool_()),
        ("recipe", pa.string()),
        ("generator", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("pair_id", pa.string()),
        ("language", pa.string()),
        ("claims", pa.list_(CLAIM)),
        ("licence", pa.string()),
        ("collection", pa.string()),
        ("quality", pa.string()),
        ("mask", pa.string()),
    ]
)


def is_in(split: str, name: str) -> bool:
    """Whether a row of `split` is meant by `name`: `test` also names `test-in-domain`."""
    return split == name or split.startswith((f"{name}-", f"{name}_"))


def write_manifest(rows: Iterable[Mapping[str, Any]], folder: Path) -> Path:
    """Sort the rows and write `manifest.parquet` into `folder`; returns its path."""

    def key(row: Mapping[str, Any]) -> tuple[str, ...]:
        return (row["modality"], row["split"], row["pair_id"], row["recipe"], row["path"])

    table = pa.Table.from_pylist(sorted(rows, key=key), schema=SCHEMA)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", store_schema=False)
    target = folder / NAME
    write_bytes(target, buffer.getvalue())
    return target


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Rows of `folder`'s manifest as dictionaries with the names of `SCHEMA`.

    Raises:
        FileNotFoundError: the folder has no manifest.
    """
    rows: list[dict[str, Any]] = pq.read_table(folder / NAME, schema=SCHEMA).to_pylist()
    return rows
