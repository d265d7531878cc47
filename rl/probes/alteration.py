"""A change made to a file before it is scored again, be it a degradation or an injection."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoders.types import Modality


@dataclass(frozen=True, slots=True)
class Alteration:
    """One change at one level to files of one modality.

    name: what is done. level: how much, in words that sort within `name` by `order`.
    modality: of the files that it takes. suffix: of the file that comes out, "" to keep it.
    make: (file, seed) -> the altered file's bytes; a pure function that another process can run.
    stem: of the altered file's name, "" for one that says nothing.
    """

    name: str
    level: str
    modality: Modality
    make: Callable[[Path, int], bytes]
    suffix: str = ""
    order: int = 0
    stem: str = ""

    def __post_init__(self) -> None:
        for part in (self.name, self.level):
            if not part or "/" in part or part.startswith("."):
                raise ValueError(f"{part!r} cannot name a folder")
        if "/" in self.stem or "\0" in self.stem or len(self.stem.encode()) > 200:
            raise ValueError(f"{self.stem!r} cannot name a file")

    @property
    def key(self) -> str:
        """`modality/name/level`: unique in a grid, and the folder of its files."""
        return f"{self.modality}/{self.name}/{self.level}"
