"""Altered copies of a manifest's files: made in parallel, once, and found again by a later run.

    FOLDER/<modality>/<name>/<level>/<hash of the original's bytes>.<suffix>

A copy is there whole or not at all, so a run that was stopped goes on where it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from rich.console import Console

from encoders.errors import TypedError
from encoders.types import Modality
from moderation.atomic import write_bytes
from moderation.progress import each
from rl.corpus.seeds import seed_for
from rl.probes.alteration import Alteration
from rl.probes.sample import Row
from rl.worker_pool import worker_pool

# Raise it when the same file and alteration would give another copy.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Copy:
    """One altered file of `row`; `failure` says why there is none."""

    alteration: Alteration
    row: Row
    path: Path
    failure: str | None = None


def copy_path(folder: Path, alteration: Alteration, row: Row) -> Path:
    """Where the copy lies; a stem of the alteration's own gets a folder for each original."""
    suffix = alteration.suffix or Path(row["path"]).suffix
    home = folder / f"v{VERSION}" / alteration.key
    digest = row["sha256"][:24]
    return (
        home / digest / f"{alteration.stem}{suffix}"
        if alteration.stem
        else (home / f"{digest}{suffix}")
    )


def make_copies(
    corpus: Path,
    rows: Sequence[Row],
    alterations: Sequence[Alteration],
    folder: Path,
    *,
    seed: int = 0,
    workers: int = 1,
    console: Console,
) -> list[Copy]:
    """A copy of each row by each alteration of its modality, in order of alteration and row.

    A file that cannot be altered gives a `Copy` with its failure; it never stops the others.
    """
    planned = [
        (alteration, row)
        for alteration in alterations
        for row in rows
        if Modality(row["modality"]) is alteration.modality
    ]
    jobs = [
        (alteration, corpus / row["path"], copy_path(folder, alteration, row), row["sha256"], seed)
        for alteration, row in planned
    ]
    failures = each(_results(jobs, workers), console, len(jobs), "copies")
    return [
        Copy(alteration, row, job[2], failure)
        for (alteration, row), job, failure in zip(planned, jobs, failures, strict=True)
    ]


def _results(jobs: Sequence[tuple[Any, ...]], workers: int) -> Iterator[str | None]:
    if workers <= 1:
        yield from map(_make, jobs)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(_make, jobs, chunksize=4)


def _make(job: tuple[Alteration, Path, Path, str, int]) -> str | None:
    alteration, source, target, sha256, seed = job
    if target.is_file():
        return None
    try:
        write_bytes(target, alteration.make(source, seed_for(seed, alteration.key, sha256)))
    except (TypedError, av.FFmpegError, OSError) as error:
        return f"{source.name}: {error}"
    return None
