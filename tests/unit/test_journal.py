"""Rows on disk while a run lasts: whatever ends it, none is lost and none stands wrongly."""

import fcntl
import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from moderation.errors import ConfigurationError, OutputError
from moderation.journal import Journal, journal_path, kept
from moderation.result_files import read_rows, write_rows
from moderation.results import (
    RunContext,
    to_row,
)
from moderation.types import (
    Mode,
)
from tests.unit.test_results import FAST, failed, scored


def test_rows_are_on_disk_before_the_run_ends(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with Journal(out, FAST, resume=False) as journal:
        journal.append(scored("a"))
        journal.append(failed("b"))
        assert not out.exists()
        assert journal_path(out).read_bytes().count(b"\n") == 2
        assert journal.finish([failed("b"), scored("a")], is_complete=True)
    assert [row["path"] for row in read_rows(out)] == ["b", "a"]
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_a_torn_tail_is_cut_and_the_rest_taken_in(tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    journal = Journal(out, FAST, resume=False)
    with journal:
        journal.append(scored("a"))
        journal.append(scored("b"))
    path = journal_path(out)
    whole = path.read_bytes()
    for torn in (whole[:-1], whole[:-30], whole + b'{"path": "c"', whole + b"\0" * 64 + b"\n"):
        path.write_bytes(torn)
        with Journal(out, FAST, resume=True) as again:
            assert set(again.earlier) == ({"a"} if len(torn) < len(whole) else {"a", "b"})
            again.append(scored("d"))
        with Journal(out, FAST, resume=True) as again:
            assert again.earlier["d"] == scored("d")


def test_an_unfinished_journal_is_not_thrown_away(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with Journal(out, FAST, resume=False) as journal:
        journal.append(scored("a"))
    with pytest.raises(ConfigurationError, match="--resume"):
        Journal(out, FAST, resume=False)
    assert journal_path(out).stat().st_size > 0


def test_two_runs_of_one_output_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with (
        Journal(out, FAST, resume=False),
        pytest.raises(ConfigurationError, match="another run"),
    ):
        Journal(out, FAST, resume=True)


def test_a_run_that_ends_leaves_the_next_one_its_journal(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with Journal(out, FAST, resume=False) as first:
        first.append(scored("a"))
        first.finish([scored("a")], is_complete=True)
        second = Journal(out, FAST, resume=True)
    with second:
        assert set(second.earlier) == {"a"}
        second.append(scored("b"))
        assert journal_path(out).read_bytes().count(b"\n") == 1


def test_a_journal_removed_before_it_was_locked_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "r.jsonl"
    first = Journal(out, FAST, resume=False)
    first.append(scored("a"))
    flock = fcntl.flock
    locked: list[int] = []

    def end_the_first_run_before_the_second_locks(file: BinaryIO, operation: int) -> None:
        if not locked:
            with first:
                first.finish([scored("a")], is_complete=True)
        locked.append(file.fileno())
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", end_the_first_run_before_the_second_locks)
    with Journal(out, FAST, resume=True) as second:
        assert len(locked) == 2
        assert set(second.earlier) == {"a"}
        second.append(scored("b"))
        assert journal_path(out).read_bytes().count(b"\n") == 1


def test_an_interrupted_new_run_leaves_an_older_output_alone(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    write_rows([to_row(scored(name), FAST) for name in "abc"], out)
    before = out.read_bytes()
    with Journal(out, FAST, resume=False) as journal:
        journal.append(scored("a", 7.0))
        assert not journal.finish([scored("a", 7.0)], is_complete=False)
    assert out.read_bytes() == before
    with Journal(out, FAST, resume=True) as journal:
        assert journal.earlier == {"a": scored("a", 7.0), "b": scored("b"), "c": scored("c")}


def test_only_rows_of_the_same_context_stand(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    write_rows([to_row(scored("a"), FAST)], out)
    for other in (
        RunContext(Mode.FULL, "judge-1"),
        RunContext(Mode.FAST, "judge-2"),
        RunContext(Mode.FAST, "judge-1", 2),
        RunContext(Mode.FAST, "judge-1", 1, "other setup"),
    ):
        with Journal(out, other, resume=True) as journal:
            assert journal.earlier == {}


def test_kept_needs_the_same_bytes_and_a_lasting_result(tmp_path: Path) -> None:
    names = ("same", "changed", "broken", "busy", "bug", "new")
    contents = {name: bytes([k]) for k, name in enumerate(names)}
    paths = [tmp_path / name for name in contents]
    for path in paths:
        path.write_bytes(contents[path.name])
    digests = {str(p): hashlib.sha256(contents[p.name]).hexdigest() for p in paths}
    same, changed, broken, busy, bug, _ = map(str, paths)
    (tmp_path / "changed").write_bytes(b"other")
    os.mkfifo(tmp_path / "pipe")
    earlier = {
        same: scored(same, digest=digests[same]),
        changed: scored(changed, digest=digests[changed]),
        broken: failed(broken, digests[broken]),
        busy: failed(busy, digests[busy], transient=True),
        bug: failed(bug, digests[bug], code="internal"),
        str(tmp_path / "pipe"): scored("pipe"),
        str(tmp_path / "gone"): failed("gone", None),
    }
    wanted = [*paths, tmp_path / "pipe", tmp_path / "gone", tmp_path / "same"]
    assert list(kept(wanted, earlier)) == [0, 2, 8]


def test_a_failure_stands_within_the_same_limits_and_a_score_within_any(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    narrow, wide = replace(FAST, limits="60 s"), replace(FAST, limits="600 s")
    write_rows([to_row(scored("a"), narrow), to_row(failed("b"), narrow)], out)
    with Journal(out, narrow, resume=True) as journal:
        assert set(journal.earlier) == {"a", "b"}
    with Journal(out, wide, resume=True) as journal:
        assert set(journal.earlier) == {"a"}


@contextmanager
def disk_with(room_bytes: int) -> Iterator[None]:
    """A limit on the size of every file, which ends a write as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_no_row_that_was_written(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with Journal(out, FAST, resume=False) as journal:
        journal.append(scored("0"))
        row_bytes = journal_path(out).stat().st_size
        with disk_with(3 * row_bytes + row_bytes // 2):
            journal.append(scored("1"))
            journal.append(scored("2"))
            with pytest.raises(OutputError, match=r"partial\.jsonl cannot be written: .* --resume"):
                journal.append(scored("3"))
            assert journal_path(out).stat().st_size == 3 * row_bytes
            with pytest.raises(OutputError, match=r"r\.jsonl cannot be written"):
                journal.finish([scored(str(k)) for k in range(4)], is_complete=True)
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl.partial.jsonl"]
    with Journal(out, FAST, resume=True) as journal:
        assert set(journal.earlier) == {"0", "1", "2"}


def test_a_journal_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="File name too long"):
        Journal(tmp_path / ("x" * 245 + ".csv"), FAST, resume=False)
