"""Which files a command line means: files, folders, patterns, lists and standard input."""

import csv
import io
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from moderation.errors import ManifestError
from moderation.result_files import parquet_rows
from moderation.results import unescape_path

MANIFEST_SUFFIXES = frozenset({".csv", ".txt", ".jsonl", ".parquet"})
STDIN = "-"
_MAGIC = frozenset("*?[")


def expand(
    arguments: Sequence[str], *, stdin: BinaryIO, exclude: Iterable[Path] = ()
) -> list[Path]:
    """Every file that `arguments` name, in their order.

    A folder gives its files, recursively, in byte order of their names, whatever their
    suffix; hidden names are left out. A pattern gives its matches in the same order. A
    `.csv`, `.jsonl` (field `path`), `.txt` (one a line) or `.parquet` file is a list, whose
    relative paths start at its folder. `-` reads names from `stdin`, ended by newlines, or by
    NUL where there is one. What cannot be opened stays in the list, so that it gets its row.

    exclude: files that a folder scan skips, such as the command's own output.

    Raises:
        ManifestError: a list that cannot be read.
    """
    skipped = {os.path.realpath(path) for path in exclude}
    found: list[Path] = []
    for argument in arguments:
        if argument == STDIN:
            found += _names(stdin.read())
        elif os.path.lexists(argument):
            path = Path(argument)
            if path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file():
                found += _manifest(path)
            else:
                found += _tree(path, skipped)
        elif _MAGIC.intersection(argument):
            found += _matches(argument, skipped)
        else:
            found.append(Path(argument))
    return found


def _names(raw: bytes) -> list[Path]:
    parts = raw.split(b"\0") if b"\0" in raw else raw.splitlines()
    return [Path(os.fsdecode(part)) for part in parts if part]


def _tree(top: Path, skipped: set[str]) -> Iterator[Path]:
    """Files under `top` (or `top` itself), each real folder entered once.

    A link back to a folder that is being walked is yielded as a path of its own: it cannot
    be read, and its row says so. A second link to a folder already walked adds nothing.
    """
    walked: set[tuple[int, int]] = set()
    ancestors: list[tuple[int, int]] = []
    pending: list[Iterator[Path]] = [iter((top,))]
    # An explicit stack: paths may nest deeper than Python's recursion limit.
    while pending:
        path = next(pending[-1], None)
        if path is None:
            pending.pop()
            if ancestors:
                ancestors.pop()
            continue
        try:
            status = path.stat()
            if not stat.S_ISDIR(status.st_mode):
                if path == top or os.path.realpath(path) not in skipped:
                    yield path
                continue
            identity = (status.st_dev, status.st_ino)
            if identity in ancestors:
                yield path
            elif identity not in walked:
                pending.append(iter(_children(path)))
                ancestors.append(identity)
                walked.add(identity)
        except OSError:
            yield path


def _children(folder: Path) -> list[Path]:
    names = sorted(os.listdir(os.fsencode(folder)))  # noqa: PTH208 - bytes sort as bytes
    return [folder / os.fsdecode(name) for name in names if not name.startswith(b".")]


def _matches(pattern: str, skipped: set[str]) -> list[Path]:
    """Matches of a pattern that the shell left alone; the pattern itself where none match."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.intersection(part))
    root, rest = Path(*parts[:first]), parts[first:]
    if rest[-1] == "**":
        return list(_tree(root, skipped))
    wants_hidden = any(part.startswith(".") for part in rest)
    matches: list[Path] = []
    for path in sorted(root.glob(str(Path(*rest))), key=os.fsencode):
        inner = path.relative_to(root).parts
        if not wants_hidden and any(part.startswith(".") for part in inner):
            continue
        if "**" not in rest:
            matches += _tree(path, skipped)
        elif not path.is_dir() and os.path.realpath(path) not in skipped:
            matches.append(path)
    return matches or [Path(pattern)]


def _manifest(path: Path) -> list[Path]:
    try:
        names = list(_READERS[path.suffix.lower()](path))
    except OSError as error:
        raise ManifestError(
            f"{path} does not open: {error.strerror}",
            expected="a readable list",
            remedy="Check its permissions.",
        ) from error
    except csv.Error as error:
        raise ManifestError(
            f"{path}: {error}", expected="a CSV file", remedy="Write the list anew."
        ) from error
    return [_resolved(path.parent, name) for name in names]


def _resolved(folder: Path, name: str) -> Path:
    """`name` as it stands; else with the escapes undone that our own result files write."""
    literal = folder / name
    if "\\" in name and not os.path.lexists(literal):
        plain = folder / unescape_path(name)
        if os.path.lexists(plain):
            return plain
    return literal


def _text(path: Path) -> str:
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _lines(path: Path) -> Iterator[str]:
    return (name for line in _text(path).split("\n") if (name := line.rstrip("\r")))


def _csv_rows(path: Path) -> Iterator[str]:
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    columns = rows.fieldnames or []
    if "path" not in columns:
        raise ManifestError(
            f"{path} has the columns {', '.join(columns) or '(none)'}",
            expected="a header line with a column named path",
            remedy="Name the column that holds the files 'path'.",
        )
    for row in rows:
        if row["path"]:
            yield row["path"]


def _json_rows(path: Path) -> Iterator[str]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        name = row.get("path") if isinstance(row, dict) else row
        if not isinstance(name, str) or not name:
            raise ManifestError(
                f"{path}, line {number}: {line[:80]!r}",
                expected='an object with a text field "path"',
                remedy="Write one JSON object a line.",
            )
        yield name


def _parquet_rows(path: Path) -> Iterator[str]:
    try:
        for row in parquet_rows(path, columns=("path",)):
            if row["path"]:
                yield str(row["path"])
    except (KeyError, ValueError) as error:
        raise ManifestError(
            f"{path}: {error}",
            expected="a parquet file with a text column named path",
            remedy="Write the list anew, or pass the files themselves.",
        ) from error


_READERS = {
    ".csv": _csv_rows,
    ".txt": _lines,
    ".jsonl": _json_rows,
    ".parquet": _parquet_rows,
}
