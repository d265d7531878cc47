"""`runs.jsonl`: one line a finished run, which is never written twice."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from moderation.errors import ManifestError
from moderation.types import Mode

NAME = "runs.jsonl"


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A row trained with one seed and tested.

    mode: how it was tested. predictions: Parquet file, relative to the log's folder. recipe_sha256:
    of the recipe. generated_tokens: written in training. steps: optimiser steps. The two and
    wall_seconds count the shared parts that the row starts from. figures: split -> figure -> value.
    platt: slope and intercept of the calibrator, and the items that it was fitted on.
    """

    row: str
    seed: int
    mode: Mode
    recipe_sha256: str
    predictions: str
    generated_tokens: int
    steps: int
    wall_seconds: float
    platt: dict[str, float]
    figures: dict[str, dict[str, float | None]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """Row and seed: at most one run of each."""
        return self.row, self.seed


class RunLog:
    """The finished runs of a folder, in the order in which they finished."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> list[FinishedRun]:
        """All finished runs; a line that a killed process left half written is none.

        Raises:
            ManifestError: a line is no run, or a run is there twice.
        """
        if not self.path.exists():
            return []
        content = self.path.read_text("utf-8")
        whole = content[: content.rfind("\n") + 1]
        runs = [self._run(number, line) for number, line in enumerate(whole.splitlines(), 1)]
        keys = [run.key for run in runs]
        for row, seed in keys:
            if keys.count((row, seed)) > 1:
                raise ManifestError(
                    f"{self.path}: row {row!r} with seed {seed} is there twice",
                    expected="one line a run",
                    remedy="Delete one of the two lines.",
                )
        return runs

    def append(self, run: FinishedRun) -> None:
        """Add one line, flushed to disk.

        Raises:
            ManifestError: that run is there already.
        """
        if run.key in {one.key for one in self.read()}:
            raise ManifestError(
                f"{self.path}: row {run.row!r} with seed {run.seed} has finished before",
                expected="one line a run",
                remedy="Do not run two `moderation ablate` on one folder at a time.",
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(run), sort_keys=True, allow_nan=False) + "\n"
        with self.path.open("a+b") as stream:
            content_end = stream.seek(0, os.SEEK_END)
            stream.truncate(self._whole_bytes() if content_end else 0)
            stream.write(line.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())

    def _whole_bytes(self) -> int:
        """Where the last whole line ends."""
        return self.path.read_bytes().rfind(b"\n") + 1

    def _run(self, number: int, line: str) -> FinishedRun:
        try:
            entry: dict[str, Any] = json.loads(line)
            return FinishedRun(**entry | {"mode": Mode(entry["mode"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ManifestError(
                f"{self.path}, line {number}: {type(error).__name__}: {error}",
                expected="a run that `moderation ablate` wrote",
                remedy="Delete the line; that run is done again.",
            ) from error
