"""Any data set, described by a CSV file of the user's own.

Columns: `path`, `source`, and `label` or `score` or both; optional `generator`, `split`,
`language`, `pair`, `licence`, and `start`, `end`, `modality` for the manipulated spans.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from encoders.types import Modality, Span
from rl.corpus.severity import SCORE_MAX
from rl.imports.label_files import one_of, read_csv, shown, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot, modality_by_suffix
from rl.imports.record import GENUINE, UNKNOWN_GENERATOR, Forged, Layout, ReadOptions, Record

REQUIRED = ("path", "source")
COLUMNS = (
    *REQUIRED,
    *("label", "score", "generator", "split", "language", "pair", "licence"),
    *("start", "end", "modality"),
)
# Digits are not taken: sets disagree on which of 0 and 1 is the genuine one.
LABELS = {
    "genuine": False,
    "real": False,
    "authentic": False,
    "bonafide": False,
    "bona-fide": False,
    "manipulated": True,
    "fake": True,
    "forged": True,
    "spoof": True,
    "synthetic": True,
}
SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "calibration": "calibration",
    "test": "test",
    "eval": "test",
}
CUE = "manipulated media"


def recognises(root: Path) -> bool:
    """A file whose name ends in `.csv`."""
    return root.is_file() and root.suffix.lower() == ".csv"


def read(root: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the CSV file `root`.

    Raises:
        ManifestError: a row that cannot be understood.
    """
    places = MediaRoot(options.media or root.parent, options.may_leave_root)
    for where, row in read_csv(root, REQUIRED):
        unknown = [name for name in row if name not in COLUMNS]
        if unknown:
            raise wrong(
                str(root),
                f"column {shown(', '.join(unknown))}",
                f"only {', '.join(COLUMNS)}",
                "Rename the column, or take it out.",
            )
        yield _record(row, where, places)


def _record(row: Mapping[str, str], where: str, places: MediaRoot) -> Record:
    path = places.locate(row["path"], where)
    modality = modality_by_suffix(path)
    if modality is None:
        raise wrong(where, f"path {shown(row['path'])}", "a name that ends like a media file's")
    if not row["source"]:
        raise wrong(
            where,
            "no source",
            "the person or recording that the file comes from",
            "Without it no split is safe; where nothing is known, repeat the path.",
        )
    y = _score(row.get("score", ""), where)
    is_manipulated = _is_manipulated(row.get("label", ""), y, where)
    spans = _spans(row.get("start", ""), row.get("end", ""), where)
    if spans and not is_manipulated:
        raise wrong(where, "a manipulated span in a genuine file", "spans of manipulated files")
    stream = row.get("modality", "")
    if stream:
        one_of(stream, [str(m) for m in Modality], "modality", where)
    generator = row.get("generator", "")
    split = row.get("split", "")
    made_by = generator or UNKNOWN_GENERATOR
    return Record(
        path=path,
        where=where,
        modality=modality,
        source=row["source"],
        pair=row.get("pair", "") or row["path"],
        recipe=made_by if is_manipulated else GENUINE,
        generator=made_by if is_manipulated else "",
        forged=(Forged(CUE, Modality(stream) if stream else None, spans),)
        if is_manipulated
        else (),
        split=SPLIT_NAMES[one_of(split.lower(), SPLIT_NAMES, "split", where)] if split else None,
        y=y,
        language=row.get("language", ""),
        licence=row.get("licence", ""),
    )


def _score(text: str, where: str) -> float | None:
    if not text:
        return None
    score = _number(text, where)
    if not 0.0 <= score <= SCORE_MAX:
        raise wrong(where, f"score {shown(text)}", "a number from 0 (fabricated) to 9 (authentic)")
    return score


def _is_manipulated(label: str, y: float | None, where: str) -> bool:
    """By the label; without one, whatever scores below 9 counts as manipulated."""
    if label:
        return LABELS[one_of(label.lower(), LABELS, "label", where)]
    if y is None:
        raise wrong(where, "neither label nor score", "at least one of the two")
    return y < SCORE_MAX


def _spans(start: str, end: str, where: str) -> tuple[Span, ...]:
    """`0.5;2` and `0.9;2.4` are two spans, seconds."""
    starts, ends = ([part for part in text.split(";") if part.strip()] for text in (start, end))
    if len(starts) != len(ends):
        raise wrong(where, f"{len(starts)} starts and {len(ends)} ends", "as many of each")
    spans: list[Span] = []
    for first, last in zip(starts, ends, strict=True):
        begin, finish = _number(first, where), _number(last, where)
        if not 0.0 <= begin < finish:
            raise wrong(where, f"span {begin}..{finish}", "seconds, start before end")
        spans.append(Span(begin, finish))
    return tuple(spans)


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise wrong(where, shown(text), "a finite number")
    return number


LAYOUT = Layout(LayoutName.CSV, recognises, read, frozenset({"media", "may_leave_root"}))
