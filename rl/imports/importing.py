"""From a data set in its own layout to a manifest that `evaluate` and `train` read.

Media stay where they are: the manifest names them by their paths.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from encoders.errors import TypedError
from encoders.types import Modality
from moderation.atomic import write_bytes
from moderation.cli.text import printable
from moderation.errors import ManifestError
from moderation.extraction import MediaSource
from moderation.progress import counted
from rl.corpus.manifest import write_manifest
from rl.imports.grading import SpanOutside, grade
from rl.imports.inspection import JOURNAL, Inspection, InspectionJournal, inspect_all
from rl.imports.label_files import shown, wrong
from rl.imports.record import Layout, ReadOptions, Record
from rl.imports.splits import DEFAULT_SHARES, assign

LEFT_OUT = "left-out.txt"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import, whatever the layout.

    splits: those to keep; empty for all. shares: for sets without splits of their own.
    is_strict: a file that cannot be used is an error, not left out.
    workers: files inspected at a time.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    splits: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=lambda: DEFAULT_SHARES)
    is_strict: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Imported:
    """manifest: its path. rows: all of it. left_out: path and reason. warnings: sentences."""

    manifest: Path
    rows: tuple[dict[str, Any], ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def import_corpus(
    layout: Layout,
    root: Path,
    out: Path,
    options: ImportOptions,
    source: MediaSource | None,
    *,
    console: Console | None = None,
) -> Imported:
    """Write `out`/manifest.parquet for the data set at `root`, and list what was left out.

    source: reads media; None skips it: rows then have no hash, and a duration only where the
    set states one (NaN elsewhere, 0 for stills).

    Raises:
        ManifestError: labels that cannot be understood, a path listed twice, nothing usable, or
            in strict mode a file that cannot be used.
    """
    console = console or Console(stderr=True, quiet=True)
    left_out: list[tuple[str, str]] = []
    with console.status(f"reading the labels of {printable(str(root))}"):
        records = _records(layout, root, options.read)
        _refuse_doubles(records)
        kept, cut = assign(records, options.shares)
        left_out += [
            (str(r.path), f"{r.split} in its set, but its source {r.source} is held out")
            for r in cut
        ]
        chosen = [pair for pair in kept if not options.splits or pair[1] in options.splits]
        present = [pair for pair in chosen if _is_present(pair[0], left_out)]
    inspections = _inspections([r.path for r, _ in present], out, options, source, console)
    rows: list[dict[str, Any]] = []
    for (record, split), found in zip(present, inspections, strict=True):
        if isinstance(found, TypedError):
            left_out.append((str(record.path), f"{found.code}: {found.found}"))
            continue
        try:
            rows.append(_row(record, split, found or _unread(record), out))
        except SpanOutside as error:
            left_out.append((str(record.path), error.found))
    _refuse_nothing(rows, left_out, root, options.is_strict)
    listed = "".join(f"{printable(path)}\t{printable(why)}\n" for path, why in sorted(left_out))
    write_bytes(out / LEFT_OUT, listed.encode("utf-8"))
    return Imported(
        write_manifest(rows, out), tuple(rows), tuple(sorted(left_out)), _same_bytes(rows)
    )


def _records(layout: Layout, root: Path, options: ReadOptions) -> list[Record]:
    try:
        return list(layout.read(root, options))
    except OSError as error:
        raise wrong(
            str(error.filename or root),
            error.strerror or str(error),
            "a folder that can be read",
            "Check its permissions.",
        ) from error


def _refuse_doubles(records: Sequence[Record]) -> None:
    seen: dict[Path, str] = {}
    for record in records:
        if record.path in seen:
            raise _double(record, seen[record.path])
        seen[record.path] = record.where


def _double(record: Record, first: str) -> ManifestError:
    return wrong(
        record.where,
        f"path {shown(str(record.path))} again",
        f"each file once; it is in {first}",
        "Take one of the two out.",
    )


def _is_present(record: Record, left_out: list[tuple[str, str]]) -> bool:
    name = str(record.path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        left_out.append((name, "its name is not UTF-8, which a manifest cannot hold"))
        return False
    if not os.path.isfile(name):  # noqa: PTH113 - False, not an error, where it may not look
        left_out.append((name, f"no such file; {record.where} names it"))
        return False
    return True


def _inspections(
    paths: Sequence[Path],
    out: Path,
    options: ImportOptions,
    source: MediaSource | None,
    console: Console,
) -> Sequence[Inspection | TypedError | None]:
    if source is None:
        return [None] * len(paths)
    with counted(console, len(paths), "files inspected") as advance:
        journal = InspectionJournal(out / JOURNAL)
        return inspect_all(paths, source, journal, workers=options.workers, on_done=advance)


def _unread(record: Record) -> Inspection:
    """What the set alone says of a file."""
    is_still = record.modality is Modality.IMAGE
    seconds = record.duration_seconds
    if seconds is None:
        seconds = 0.0 if is_still else float("nan")
    return Inspection(None, record.modality, seconds, (record.modality,))


def _row(record: Record, split: str, found: Inspection, out: Path) -> dict[str, Any]:
    label = grade(record, found.modality, found.duration_seconds, found.streams)
    return {
        "path": _relative(record.path, out),
        "sha256": found.sha256,
        "modality": str(found.modality),
        "duration_seconds": found.duration_seconds,
        "y": round(label.y, 6),
        "m": round(label.m, 6),
        "is_manipulated": record.is_manipulated,
        "recipe": record.recipe,
        "generator": record.generator,
        "source": record.source,
        "split": split,
        "pair_id": record.pair,
        "language": record.language,
        "claims": [
            {
                "modality": str(claim.modality),
                "start": claim.span.start_seconds,
                "end": claim.span.end_seconds,
                "cue": claim.cue,
                "strength": str(claim.strength),
            }
            for claim in label.claims
        ],
        "licence": record.licence,
    }


def _relative(path: Path, out: Path) -> str:
    """Within the manifest's folder a relative path, so that both move together; else absolute."""
    folder = Path(os.path.abspath(out))  # noqa: PTH100 - links stay as written
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _refuse_nothing(
    rows: Sequence[object], left_out: Sequence[tuple[str, str]], root: Path, is_strict: bool
) -> None:
    if rows and not (is_strict and left_out):
        return
    if not left_out:
        raise wrong(str(root), "nothing to import", "media in the splits that were asked for")
    path, reason = left_out[0]
    raise wrong(
        str(root),
        f"{len(left_out)} files cannot be used, the first {shown(path)}: {reason}",
        "all of them" if is_strict else "at least one that can",
        "Complete the download, or name the media's folder with --media where the layout has it.",
    )


def _same_bytes(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Warnings of files with the same bytes in two splits, or under two labels."""
    splits: dict[str, set[str]] = defaultdict(set)
    classes: dict[str, set[bool]] = defaultdict(set)
    for row in rows:
        if row["sha256"] is not None:
            splits[row["sha256"]].add(row["split"])
            classes[row["sha256"]].add(row["is_manipulated"])
    leaks = sum(len(found) > 1 for found in splits.values())
    contradictions = sum(len(found) > 1 for found in classes.values())
    warnings: list[str] = []
    if leaks:
        warnings.append(f"{leaks} files have copies, byte for byte, in another split")
    if contradictions:
        warnings.append(f"{contradictions} files have copies with the opposite label")
    return tuple(warnings)


def summary(imported: Imported, layout: Layout) -> dict[str, Any]:
    """Counts by split, class and generator, ready for JSON."""
    counts = Counter(
        (row["split"], row["modality"], row["is_manipulated"], row["generator"])
        for row in imported.rows
    )
    return {
        "layout": str(layout.name),
        "manifest": str(imported.manifest),
        "files": len(imported.rows),
        "sources": len({row["source"] for row in imported.rows}),
        "left_out": len(imported.left_out),
        "warnings": list(imported.warnings),
        "counts": [asdict(Count(*key, files)) for key, files in sorted(counts.items())],
    }


@dataclass(frozen=True, slots=True)
class Count:
    """How many files there are of one kind."""

    split: str
    modality: str
    is_manipulated: bool
    generator: str
    files: int
