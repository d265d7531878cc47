"""What a data set says of one file, before the file itself is looked at."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from encoders.types import Modality, Span
from rl.corpus.severity import SCORE_MAX
from rl.imports.names import LayoutName
from rl.imports.splits import SPLITS

GENUINE = "genuine"
UNKNOWN_GENERATOR = "unknown"


@dataclass(frozen=True, slots=True)
class Forged:
    """One stream that was manipulated.

    modality: None for the file's own. spans: where; empty for all of it.
    area: share of the picture, (0, 1]; 1 for sound. cue: what a person would call it.
    """

    cue: str
    modality: Modality | None = None
    spans: tuple[Span, ...] = ()
    area: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.area <= 1.0:
            raise ValueError(f"area {self.area} is not in (0, 1]")


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled file of a data set.

    where: the label file and line, or the folder, that says so.
    recipe, generator: how it was made, in the set's words; `genuine` and "" where it was not.
    source: the identity that a split must not cut. pair: shared with what it was made from.
    forged: the manipulated streams; empty exactly where the file is genuine.
    split: the set's own, or None. y: the set's own score in [0, 9], or None to grade it here.
    duration_seconds: as the set says, or None.
    """

    path: Path
    where: str
    modality: Modality
    source: str
    pair: str
    recipe: str = GENUINE
    generator: str = ""
    forged: tuple[Forged, ...] = ()
    split: str | None = None
    y: float | None = None
    duration_seconds: float | None = None
    language: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        if (self.recipe == GENUINE) != (not self.forged):
            raise ValueError(f"{self.path}: recipe {self.recipe!r} with {len(self.forged)} forged")
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"{self.path}: split {self.split!r} is not one of {SPLITS}")
        if self.y is not None and not 0.0 <= self.y <= SCORE_MAX:
            raise ValueError(f"{self.path}: score {self.y} is not in [0, 9]")
        if self.duration_seconds is not None and not 0.0 <= self.duration_seconds < math.inf:
            raise ValueError(f"{self.path}: duration {self.duration_seconds} s")
        if not self.source or not self.pair:
            raise ValueError(f"{self.path} has no source or no pair")

    @property
    def is_manipulated(self) -> bool:
        return bool(self.forged)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Choices that only some layouts have; `None` and 0 mean that none was made.

    compression: which of FaceForensics++'s encodings. frames_per_video: how many frames of a
    video, evenly spaced; 0 for all. media: folder that relative paths start at.
    may_leave_root: whether a label file may name media outside that folder.
    """

    compression: str | None = None
    frames_per_video: int = 0
    media: Path | None = None
    may_leave_root: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read one data set.

    recognises: whether a folder or file is certainly in this layout.
    read: its records, in any order. options: the names of `ReadOptions` that it heeds.
    """

    name: LayoutName
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], Iterable[Record]]
    options: frozenset[str] = frozenset()
