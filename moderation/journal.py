"""The batch journal: every finished result on disk at once, so that no interruption loses one."""

import fcntl
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from moderation.errors import ConfigurationError, InternalError, OutputError
from moderation.file_identity import file_sha256
from moderation.result_files import check_writable, read_rows, write_rows
from moderation.results import LATER_COLUMNS, Row, RunContext, from_row, json_line, to_row
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
        self._resumes = resume
        self._unsynced = 0
        self._synced_at = time.monotonic()
        self._file = self._open_locked()
        self._intact = os.fstat(self._file.fileno()).st_size
        try:
            # Locked before the look at `out`, so that nobody replaces it in between.
            self._out_was_there = out.exists()
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

    def _open_locked(self) -> FileIO:
        """The journal that lies at `path`, locked.

        A run that ended between our opening and our locking has removed what we opened: then we
        hold the lock of a file without a name, and open anew.
        """
        try:
            while True:
                file = self._open()
                if self._is_at_path(file):
                    return file
                file.close()
        except BlockingIOError as error:
            raise ConfigurationError(
                f"another run is writing {self.out}",
                expected="one run an output file",
                remedy="Wait for it, or name another output.",
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be opened and locked: {error.strerror}",
                expected="a file that can be written beside the output",
                remedy="Name another output.",
            ) from error

    def _open(self) -> FileIO:
        # Unbuffered: what a full disk refuses is not tried again behind our back.
        file = self.path.open("a+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
        return file

    def _is_at_path(self, file: FileIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def _take_in(self) -> Earlier:
        """What `out` and the journal hold; of results by path, later lines win."""
        rows = read_rows(self.out) if self._out_was_there else []
        self._intact = 0
        with open(os.dup(self._file.fileno()), "rb") as file:  # noqa: PTH123
            file.seek(0)
            for line in file:
                try:
                    row = dict.fromkeys(LATER_COLUMNS) | json.loads(line)
                    from_row(row)
                except (ValueError, KeyError, TypeError):
                    break
                if not line.endswith(b"\n"):
                    break
                rows.append(row)
                self._intact += len(line)
        self._cut_torn_tail()
        results = (from_row(row) for row in rows)
        done = {result.path: result for result, context in results if self._stands(result, context)}
        return Earlier(tuple(rows), done)

    def _stands(self, result: ItemResult, context: RunContext) -> bool:
        if context != self._context:
            return False
        return result.error is None or context.limits == self._context.limits

    def _cut_torn_tail(self) -> None:
        """Or the next row would be glued to it."""
        self._file.truncate(self._intact)

    def append(self, result: ItemResult) -> None:
        """Write one finished result.

        Raises:
            OutputError: the disk does not take it; all rows before it are safe.
        """
        line = json_line(to_row(result, self._context)).encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            with suppress(OSError):
                self._cut_torn_tail()
            raise self._unwritten(error, self.path) from error
        self._intact += len(line)
        self._unsynced += 1
        due = time.monotonic() - self._synced_at >= _SYNC_SECONDS
        if self._unsynced >= _SYNC_ROWS or due:
            self.sync()

    def sync(self) -> None:
        """Put everything appended on the disk.

        Raises:
            OutputError: the disk does not take it.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritten(error, self.path) from error
        self._unsynced = 0
        self._synced_at = time.monotonic()

    def finish(self, results: Iterable[ItemResult], *, is_complete: bool) -> bool:
        """Write `results` to `out`, in their order, and drop the journal.

        With resume, rows of other files, and of other modes and judges, follow unchanged. A row
        of the same judge and mode in another setup gives way.

        An interrupted run that started anew (no resume) leaves an older `out` as it is and
        keeps its own rows in the journal. Returns whether `out` was written.

        Raises:
            OutputError: the disk does not take it; the journal keeps its rows.
        """
        self.sync()
        if not is_complete and self._out_was_there and not self._resumes:
            return False
        rows = [to_row(result, self._context) for result in results]
        written = {_key(row) for row in rows}
        others = {key: row for row in self._rows if (key := _key(row)) not in written}
        try:
            write_rows([*rows, *others.values()], self.out)
        except OSError as error:
            raise self._unwritten(error, self.out) from error
        self.path.unlink()
        return True

    def _unwritten(self, error: OSError, path: Path) -> OutputError:
        remedy = f"Free space, then go on with --resume: finished rows are in {self.path}."
        return OutputError.of(error, str(path), remedy=remedy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After `finish`, the file at `path` is another run's.
        if self._is_at_path(self._file) and not self.path.stat().st_size:
            self.path.unlink()
        self._file.close()


def _key(row: Row) -> tuple[str, RunContext]:
    result, context = from_row(row)
    return result.path, replace(context, setup=None)


def kept(paths: Sequence[Path], earlier: Done) -> dict[int, ItemResult]:
    """Which of `paths` need no new work: index -> earlier result.

    A result is kept when the file still has the same bytes. Another try is given to a transient
    error, to a fault of this program's own, which may be mended by now, and to a file that could
    not be read at all.
    """
    keep: dict[int, ItemResult] = {}
    digests: dict[Path, str | None] = {}
    for index, path in enumerate(paths):
        result = earlier.get(str(path))
        if result is None or result.sha256 is None or _deserves_another_try(result):
            continue
        if path not in digests:
            digests[path] = file_sha256(path)
        if digests[path] == result.sha256:
            keep[index] = result
    return keep


def _deserves_another_try(result: ItemResult) -> bool:
    error = result.error
    return error is not None and (error.is_transient or error.code == InternalError.code)
