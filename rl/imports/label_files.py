"""Label files read strictly: text, CSV and JSON, with errors that name file and line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from moderation.errors import ManifestError

_SHOWN_MAX = 80


def wrong(where: str, found: str, expected: str, remedy: str = "") -> ManifestError:
    """A ManifestError that begins with the file and the line."""
    return ManifestError(
        f"{where}: {found}", expected=expected, remedy=remedy or "Correct that entry."
    )


def shown(value: object) -> str:
    """`value` as Python writes it, cut to a length that fits a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Raises:
        ManifestError: it does not open, is not UTF-8, or holds nothing.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise wrong(
            str(path), reason, "a readable label file", "Check the path and its permissions."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise wrong(
            f"{path}, line {line}",
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            "UTF-8 text",
            "Save the file as UTF-8.",
        ) from error
    if not text.strip():
        raise wrong(str(path), "the file is empty", "labels", "Check that the download finished.")
    return text


def read_csv(path: Path, required: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows under a header line, each with where it stands; blank lines are passed over.

    Raises:
        ManifestError: a required column is missing, one is doubled, or a row does not fit.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    columns: list[str] | None = None
    while True:
        where = f"{path}, line {reader.line_num + 1}"
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise wrong(where, str(error), "comma-separated values") from error
        if not any(field.strip() for field in fields):
            continue
        if columns is None:
            columns = _header([field.strip() for field in fields], required, where)
            continue
        # Some publishers end the header with a comma and the rows without one, or the reverse.
        if len(fields) + 1 == len(columns) and not columns[-1]:
            fields = [*fields, ""]
        if len(fields) != len(columns):
            raise wrong(
                where, f"{len(fields)} fields", f"{len(columns)}, one for each column of the header"
            )
        yield where, dict(zip(columns, (field.strip() for field in fields), strict=True))


def _header(columns: list[str], required: Sequence[str], where: str) -> list[str]:
    missing = [name for name in required if name not in columns]
    if missing:
        raise wrong(
            where,
            f"no column {', '.join(missing)} among {shown(', '.join(columns))}",
            f"a header with the columns {', '.join(required)}",
            "Check that this is the set's own label file.",
        )
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    if doubled:
        raise wrong(where, f"column {shown(', '.join(doubled))} twice", "each column once")
    return columns


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Lines of fields between blanks, without a header, each with where it stands.

    Raises:
        ManifestError: a line has another number of fields.
    """
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        where = f"{path}, line {number}"
        if len(fields) != len(columns):
            raise wrong(where, f"{len(fields)} fields", f"{len(columns)}: {' '.join(columns)}")
        yield where, dict(zip(columns, fields, strict=True))


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        ManifestError: it is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise wrong(f"{path}, line {error.lineno}", error.msg, "JSON") from error
    except (ValueError, RecursionError) as error:
        raise wrong(str(path), str(error), "JSON") from error


def one_of(value: str, allowed: Mapping[str, Any] | Iterable[str], what: str, where: str) -> str:
    """`value`, if it is among `allowed`.

    Raises:
        ManifestError: it is not; the message lists those that are.
    """
    names = list(allowed)
    if value not in names:
        raise wrong(where, f"{what} {shown(value)}", f"one of {', '.join(names)}")
    return value
