"""The batch journal: every finished result on disk at once, so that no interruption loses one."""

import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from moderation.errors import ConfigurationError
from moderation.result_files import check_writable, read_rows, write_rows
from moderation.results import Row, RunContext, from_row, json_line, to_row
from moderation.types import ItemResult

_SYNC_ROWS = 16
_SYNC_SECONDS = 2.0

Done = dict[str, ItemResult]


@dataclass(frozen=True, slots=True)
class Earlier:
    """Rows of `out` and its journal; by_path: those that this run's context may keep."""

    rows: tuple[Row, ...] = ()
    by_path: Done = field(default_factory=dict)


def journal_path(out: Path) -> Path:
    """Where the journal of `out` lies."""
    return out.with_name(f"{out.name}.partial.jsonl")


class Journal:
    """Appends results to `OUT.partial.jsonl`, and turns them into `OUT` at the end.

    Rows reach the operating system one by one (a killed process loses none) and the disk in
    groups of 16, or every 2 seconds (a power cut loses no more). Use as a context manager:
    it holds a lock, so that two runs never write the same output.
    """

    def __init__(self, out: Path, context: RunContext, *, resume: bool) -> None:
        """Open the journal; with `resume`, take in what an earlier run finished.

        Raises:
            ConfigurationError: `out` cannot be written, another run writes it, or an
                interrupted run left a journal and `resume` is off.
            ManifestError: `resume`, and `out` holds something else than results.
        """
        check_writable(out)
        self.out = out
        self.path = journal_path(out)
        self._context = context
        self._out_was_there = out.exists()
        self._resumes = resume
        self._unsynced = 0
        self._synced_at = time.monotonic()
        self._file = self.path.open("a+b")
        try:
            self._lock()
            # Opened before the look at `out`, so that nobody replaces it in between.
            found = self._take_in() if resume else Earlier()
            self._rows, self.earlier = found.rows, found.by_path
            if not resume and self.path.stat().st_size:
                raise ConfigurationError(
                    f"{self.path} holds rows of a run that was cut off",
                    expected="no unfinished run of the same output",
                    remedy="Add --resume to go on with it, or delete the file to start anew.",
                )
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"another run is writing {self.out}",
                expected="one run an output file",
                remedy="Wait for it, or name another output.",
            ) from error

    def _take_in(self) -> Earlier:
        """What `out` and the journal hold; of results by path, later lines win."""
        rows = read_rows(self.out) if self._out_was_there else []
        self._file.seek(0)
        intact = 0
        for line in self._file:
            try:
                row = json.loads(line)
                from_row(row)
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            rows.append(row)
            intact += len(line)
        # Cut off a torn tail, or the next row would be glued to it.
        self._file.truncate(intact)
        results = (from_row(row) for row in rows)
        done = {result.path: result for result, context in results if context == self._context}
        return Earlier(tuple(rows), done)

    def append(self, result: ItemResult) -> None:
        """Write one finished result."""
        self._file.write(json_line(to_row(result, self._context)).encode() + b"\n")
        self._file.flush()
        self._unsynced += 1
        due = time.monotonic() - self._synced_at >= _SYNC_SECONDS
        if self._unsynced >= _SYNC_ROWS or due:
            self.sync()

    def sync(self) -> None:
        """Put everything appended on the disk."""
        os.fsync(self._file.fileno())
        self._unsynced = 0
        self._synced_at = time.monotonic()

    def finish(self, results: Iterable[ItemResult], *, is_complete: bool) -> bool:
        """Write `results` to `out`, in their order, and drop the journal.

        With resume, rows of other files, and of other modes and judges, follow unchanged.

        An interrupted run that started anew (no resume) leaves an older `out` as it is and
        keeps its own rows in the journal. Returns whether `out` was written.
        """
        self.sync()
        if not is_complete and self._out_was_there and not self._resumes:
            return False
        rows = [to_row(result, self._context) for result in results]
        written = {_key(row) for row in rows}
        others = {key: row for row in self._rows if (key := _key(row)) not in written}
        write_rows([*rows, *others.values()], self.out)
        self.path.unlink()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.path.exists() and not self.path.stat().st_size:
            self.path.unlink()
        self._file.close()


def _key(row: Row) -> tuple[str, RunContext]:
    result, context = from_row(row)
    return result.path, context


def file_sha256(path: str) -> str | None:
    """SHA-256 of a regular file's bytes, in hexadecimal; None where it cannot be read."""
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def kept(paths: Sequence[Path], earlier: Done) -> dict[int, ItemResult]:
    """Which of `paths` need no new work: index -> earlier result.

    A result is kept when the file still has the same bytes, unless a transient error is worth
    another try or the file could not be read at all.
    """
    keep: dict[int, ItemResult] = {}
    digests: dict[str, str | None] = {}
    for index, path in enumerate(paths):
        result = earlier.get(str(path))
        if result is None or result.sha256 is None or (result.error and result.error.is_transient):
            continue
        name = str(path)
        if name not in digests:
            digests[name] = file_sha256(name)
        if digests[name] == result.sha256:
            keep[index] = result
    return keep
