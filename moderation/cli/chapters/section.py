"""Chapters of a report: figures for machines, and blocks of text, tables and pictures for people.

This is the seam for further chapters. Whoever measures something more adds a `Section` to the
`Report`: its `figures` come out in `report.json` under `key`, its `blocks` in `report.html` under
`title`.

    Section(
        key="listeners",
        title="Listening test",
        figures={"agreement": {"value": 0.58, "low": 0.51, "high": 0.66}},
        blocks=(
            Paragraph("Ten people heard every clip once."),
            Table(("pair", "Spearman"), (("people and judge", "0.580"),)),
            Picture(drawing_as_svg, "Their scores against the judge's"),
        ),
    )

All text is plain: the page escapes it, and spells out control characters. `Picture.svg` is the
exception: make it with `moderation.cli.chapters.drawing`, which escapes the words in it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import Enum
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences. is_warning: what a reader must not overlook."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns after the first are set as numbers.

    marked: rows to stand out, by index. is_folded: shown when the reader asks for it.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    marked: frozenset[int] = frozenset()
    is_folded: bool = False

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"a row has not the {len(self.header)} cells of the header")


@dataclass(frozen=True, slots=True)
class Picture:
    """An inline SVG and what it shows, in words."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Card:
    """One media file: a heading, a line of facts, and what can be seen and heard of it.

    frames: data URIs of pictures. waveform: an SVG path in a box of 1000 x 100. audio: data URI.
    """

    title: str
    facts: str
    frames: tuple[str, ...] = ()
    waveform: str = ""
    audio: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Media files side by side."""

    cards: tuple[Card, ...]


Block = Paragraph | Table | Picture | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter. key: a JSON name, unique in the report; figures: anything `as_json` takes."""

    key: str
    title: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        if not self.key.isidentifier():
            raise ValueError(f"{self.key!r} is no name for a section")


@dataclass(frozen=True, slots=True)
class Report:
    """What `report.json` and `report.html` hold. about: the facts under the title, in order."""

    title: str
    about: Mapping[str, Any]
    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        keys = [section.key for section in self.sections]
        if len(set(keys)) < len(keys):
            raise ValueError(f"two sections have one key: {', '.join(keys)}")

    def json_text(self) -> str:
        """The figures of all sections as indented ASCII JSON; what is not defined is null."""
        content = {
            "title": self.title,
            "about": self.about,
            **{section.key: section.figures for section in self.sections},
        }
        return json.dumps(as_json(content), indent=1, allow_nan=False) + "\n"


def as_json(value: Any) -> Any:
    """Dataclasses, mappings, arrays and numbers as JSON values; NaN and infinity as None."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(entry) for entry in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
