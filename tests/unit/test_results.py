"""Rows survive every format; the journal survives every interruption."""

import csv
import fcntl
import hashlib
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from encoders.provenance.types import ManifestAction, ManifestState, Provenance
from encoders.types import Modality, Span
from moderation.errors import ConfigurationError, ManifestError, OutputError
from moderation.journal import Journal, journal_path, kept
from moderation.result_files import read_rows, write_rows
from moderation.results import (
    COLUMNS,
    RunContext,
    escape_path,
    from_row,
    to_row,
    unescape_path,
)
from moderation.types import (
    CalibratedScore,
    Claim,
    ItemError,
    ItemResult,
    Judgment,
    Mode,
    Rationale,
    Strength,
)

FAST = RunContext(Mode.FAST, "judge-1")
FULL = RunContext(Mode.FULL, "judge-1", 4, "5e7")


def judgment(score: float, context: RunContext, rationale: Rationale | None = None) -> Judgment:
    weights = np.exp(-np.abs(np.arange(10) - score))
    digits = tuple(map(float, weights / weights.sum()))
    return Judgment(digits, 0.97, score, context.mode, context.judge_id, rationale)


def scored(path: str, score: float = 4.25, digest: str = "ab" * 32) -> ItemResult:
    return ItemResult(path, digest, Modality.AUDIO, 3.5, judgment(score, FAST), None)


def failed(
    path: str,
    digest: str | None = "cd" * 32,
    *,
    transient: bool = False,
    code: str = "corrupt_media",
) -> ItemResult:
    error = ItemError(code, "ends early", "a whole file", "Fetch it anew.", transient)
    return ItemResult(path, digest, None, None, None, error)


RATIONALE = Rationale(
    'audio 1.0-2.0 "ripple", clear\r\n\nscore: \ud800',
    (Claim(Modality.AUDIO, Span(1.0, 2.0), 'vocoder "ripple", ,\n', Strength.CLEAR),),
    is_complete=False,
)
RESULTS = [
    scored("plain.wav"),
    scored("not \udcff text \\ back\\xff\n line.wav", 1 / 3),
    ItemResult(
        "full.mp4",
        "ef" * 32,
        Modality.VIDEO,
        0.1 + 0.2,
        judgment(8.999999, FULL, Rationale("", (), is_complete=True)),
        None,
        duplicate_of="é\udcfe.mp4",
        unusual_signals=("image.noise", "audio.tilt"),
        notes=("a, b", 'say "c"'),
        provenance=Provenance(
            ManifestState.VALID,
            reasons=("signingCredential.untrusted",),
            claim_generator='A "tool", 1',
            signer="Someone",
            actions=(ManifestAction("c2pa.created", "trainedAlgorithmicMedia"),),
            xmp_source_types=("compositeSynthetic",),
            notes=("one, two",),
        ),
        picture_hashes=("0f" * 32, "a1" * 32),
    ),
    ItemResult("r", "12" * 32, Modality.AUDIO, None, judgment(0.0, FULL, RATIONALE), None),
    failed("broken.mp4"),
    failed("gone.mp4", None, transient=True),
    replace(
        scored("calibrated.wav"),
        calibrated=CalibratedScore(1 / 7, 0.1 + 0.2, 8.5, 0.9, "audio", "platt-0123456789ab"),
    ),
]


def test_a_failure_has_no_calibrated_score() -> None:
    calibrated = RESULTS[-1].calibrated
    with pytest.raises(ValueError, match="without a judgment"):
        replace(failed("broken.mp4"), calibrated=calibrated)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "CSV"])
def test_every_format_gives_back_what_it_was_given(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"results.{suffix}"
    contexts = [FULL if r.judgment and r.judgment.mode is Mode.FULL else FAST for r in RESULTS]
    write_rows([to_row(r, c) for r, c in zip(RESULTS, contexts, strict=True)], out)
    back = [from_row(row) for row in read_rows(out)]
    assert [context for _, context in back] == contexts
    # A lone surrogate in generated text cannot be written as UTF-8: it comes back spelled out.
    text = back[3][0].judgment.rationale.text  # type: ignore[union-attr]
    assert text == RATIONALE.text.replace("\ud800", "\\ud800")
    for (result, _), given_result in zip(back, RESULTS, strict=True):
        if given_result is not RESULTS[3]:
            assert result == given_result
    assert back[3][0].judgment.rationale.claims == RATIONALE.claims  # type: ignore[union-attr]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_columns_are_typed_even_when_empty(tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    write_rows([to_row(failed("a"), FAST)], out)
    schema = parquet.read_schema(out)
    assert schema.names == list(COLUMNS)
    assert str(schema.field("score").type) == "double"
    assert str(schema.field("unusual_signals").type).startswith("list<")
    write_rows([], tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)


@given(st.binary(min_size=1, max_size=40))
def test_any_path_is_escaped_to_unicode_and_back(raw: bytes) -> None:
    path = os.fsdecode(raw)
    text = escape_path(path)
    text.encode("utf-8")
    assert unescape_path(text) == path


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_no_two_paths_share_an_escape(first: bytes, second: bytes) -> None:
    same = escape_path(os.fsdecode(first)) == escape_path(os.fsdecode(second))
    assert same == (first == second)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    write_rows([to_row(scored("a"), FAST)], out)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_rows([{"path": "b", "score": float("nan")}], out)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_foreign_results_are_refused(tmp_path: Path) -> None:
    for name, content in {"a.csv": "x,y\n1,2\n", "b.jsonl": "[1]\n", "c.parquet": "?"}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(ManifestError, match="no results"):
            read_rows(tmp_path / name)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_files_of_an_earlier_release_have_no_setup(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"r.{suffix}"
    row = to_row(RESULTS[2], FULL)
    if suffix == "parquet":
        write_rows([row], out)
        parquet.write_table(parquet.read_table(out).drop_columns(["setup"]), out)
    elif suffix == "csv":
        write_rows([row], out)
        with out.open(newline="") as file:
            header, values = csv.reader(file)
        with out.open("w", newline="") as file:
            at = header.index("setup")
            csv.writer(file).writerows(line[:at] + line[at + 1 :] for line in (header, values))
    else:
        del row["setup"]
        out.write_text(json.dumps(row) + "\n")
    (back,) = read_rows(out)
    assert from_row(back) == (RESULTS[2], replace(FULL, setup=None))


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


def test_output_must_be_writable(tmp_path: Path) -> None:
    for out, told in (
        (tmp_path / "r.xlsx", "xlsx"),
        (tmp_path / "r", "no suffix"),
        (tmp_path / "no" / "r.csv", "cannot be written"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            Journal(out, FAST, resume=False)
