"""What client and worker say to each other, as JSON values: paths there, rows back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from moderation.errors import TypedError
from moderation.results import Row, escape_path, from_row, unescape_path
from moderation.types import ItemResult, Mode
from workers.batches.errors import WorkerDiffers, WorkerUnfit
from workers.batches.terms import Terms


@dataclass(frozen=True, slots=True)
class Order:
    """Files to be scored. paths: absolute, as whoever scores sees them."""

    terms: Terms
    mode: Mode
    rationales: int
    paths: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """For a message."""
        return {
            "terms": dict(self.terms),
            "mode": str(self.mode),
            "rationales": self.rationales,
            "paths": [escape_path(str(path)) for path in self.paths],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        paths = tuple(Path(unescape_path(path)) for path in said["paths"])
        return cls(said["terms"], Mode(said["mode"]), said["rationales"], paths)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody should ask this worker. is_other: it would score, but otherwise."""

    found: str
    expected: str
    remedy: str
    is_other: bool = False

    @classmethod
    def of(cls, error: TypedError) -> Self:
        """What kept a worker from scoring anything."""
        return cls(f"{error.code}: {error.found}", error.expected, error.remedy)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says to an order.

    rows: as `moderation.results.to_row` makes them, of the first paths in their order; fewer than
    were ordered where the worker is to stop.
    """

    worker: str
    rows: tuple[Row, ...] = ()
    refusal: Refusal | None = None

    def results(self) -> list[ItemResult]:
        """Of the rows.

        Raises:
            WorkerDiffers, WorkerUnfit: there are none, since the worker refuses.
        """
        refusal = self.refusal
        if refusal is not None:
            kind = WorkerDiffers if refusal.is_other else WorkerUnfit
            raise kind(
                f"the worker {self.worker} does not score: {refusal.found}",
                expected=refusal.expected,
                remedy=refusal.remedy,
            )
        return [from_row(row)[0] for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """For a result."""
        refusal = self.refusal
        told = None if refusal is None else [getattr(refusal, name) for name in _REFUSAL]
        return {"worker": self.worker, "rows": list(self.rows), "refusal": told}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        told = said["refusal"]
        refusal = None if told is None else Refusal(*told)
        return cls(said["worker"], tuple(said["rows"]), refusal)


_REFUSAL = ("found", "expected", "remedy", "is_other")
