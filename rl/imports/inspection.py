"""Reads every file once, in the sandbox: hash, modality and duration. Goes on where it stopped."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from encoders.base import ReadRequest
from encoders.errors import TypedError
from encoders.sampling import Uniform
from encoders.types import Modality
from moderation.extraction import MediaSource

# One frame and a second of sound show that a file decodes; its length is measured whole.
REQUEST = ReadRequest(Uniform(frames_max=1), audio_seconds_max=1.0)
JOURNAL = "inspections.jsonl"
AHEAD_PER_WORKER = 4


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one file is. sha256: None where it was not read. duration_seconds: 0 for a still."""

    sha256: str | None
    modality: Modality
    duration_seconds: float
    streams: tuple[Modality, ...]


class InspectionJournal:
    """Inspections of earlier runs, one a line; a file counts as the same by size and time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Inspection] = dict(_entries(path))

    def get(self, identity: str) -> Inspection | None:
        """What an earlier run found, if the file is as it was."""
        return self._known.get(identity)

    def put(self, identity: str, found: Inspection) -> None:
        """Remember it at once; one appended write, so threads may call it side by side."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"file": identity, **asdict(found)})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def identity(path: Path) -> str:
    """A file's name, size and time of change; the name alone where it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return os.fspath(path)
    return json.dumps([os.fspath(path), status.st_size, status.st_mtime_ns])


def _entries(path: Path) -> Iterator[tuple[str, Inspection]]:
    """Whole lines only: the last may have been cut off."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield _entry(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue


def _entry(row: dict[str, Any]) -> tuple[str, Inspection]:
    streams = tuple(Modality(stream) for stream in row["streams"])
    return str(row["file"]), Inspection(
        str(row["sha256"]), Modality(row["modality"]), float(row["duration_seconds"]), streams
    )


def inspect(path: Path, source: MediaSource) -> Inspection:
    """Read one file.

    Raises:
        MediaError: it cannot be scored.
    """
    media = source.read(path, REQUEST)
    streams: tuple[Modality, ...] = (media.modality,)
    if media.modality is Modality.VIDEO and media.audio is not None:
        streams = (Modality.VIDEO, Modality.AUDIO)
    seconds = round(media.duration_seconds, 6)
    return Inspection(media.metadata.sha256, media.modality, seconds, streams)


def inspect_all(
    paths: Sequence[Path],
    source: MediaSource,
    journal: InspectionJournal,
    *,
    workers: int,
    on_done: Callable[[], None] = lambda: None,
) -> list[Inspection | TypedError]:
    """Inspections in the order of `paths`; what cannot be read gives its error.

    workers: threads; the reading itself happens in a child process a file.
    """
    found: dict[int, Inspection | TypedError] = {}
    running: dict[Future[Inspection], int] = {}

    def look(path: Path, named: str) -> Inspection:
        fresh = inspect(path, source)
        journal.put(named, fresh)
        return fresh

    def collect(done: set[Future[Inspection]]) -> None:
        for future in done:
            index = running.pop(future)
            try:
                found[index] = future.result()
            except TypedError as error:
                found[index] = error
            on_done()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="inspect")
    try:
        for index, path in enumerate(paths):
            named = identity(path)
            known = journal.get(named)
            if known is not None:
                found[index] = known
                on_done()
                continue
            running[pool.submit(look, path, named)] = index
            if len(running) >= workers * AHEAD_PER_WORKER:
                collect(wait(running, return_when=FIRST_COMPLETED).done)
        while running:
            collect(wait(running, return_when=FIRST_COMPLETED).done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [found[index] for index in range(len(paths))]
