"""Batches that are interrupted, killed, or cannot be written."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from moderation.cli.interruption import Interrupted, Interruption
from moderation.cli.score import ModeChoice, score_files
from moderation.errors import JudgeError, OutputError
from moderation.result_files import read_rows
from moderation.types import ItemResult, Mode
from tests.unit.cli.byte_dispatcher import ROOT, ByteDispatcher


def test_a_second_signal_loses_neither_rows_nor_summary(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Impatient(ByteDispatcher):
        """Its user asks twice: in mid-batch, and again while it cleans up."""

        def score(
            self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
        ) -> Iterator[ItemResult]:
            try:
                yield from super().score(list(paths)[:2], mode, rationales=rationales)
                os.kill(os.getpid(), signal.SIGINT)
            finally:
                os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "r.jsonl"
    with Interruption().installed() as interruption:
        outcome = score_files(
            Impatient(), files, mode=ModeChoice.FAST, out=out, interruption=interruption
        )
    assert outcome.is_interrupted
    assert len(read_rows(out)) == 2
    assert "Interrupted with 4 to go: 2 scored" in capsys.readouterr().out


RUN = """
import sys, typer
from pathlib import Path
from moderation.cli.score import ModeChoice, score_files
from tests.unit.cli.byte_dispatcher import ByteDispatcher
from moderation.cli.interruption import Interruption
dispatcher = ByteDispatcher(pause_seconds=0.2)
files = [Path(name) for name in sys.argv[2:]]
with Interruption().installed() as interruption:
    outcome = score_files(dispatcher, files, mode=ModeChoice.FAST, as_json=True,
        out=Path(sys.argv[1]), resume=True, interruption=interruption)
print("closed" if dispatcher.is_closed else "open", outcome.is_interrupted, len(outcome.results))
"""


def start_slow(out: Path, files: list[Path]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(out), *map(str, files)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_saves_what_is_finished(
    files: list[Path], tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "r.parquet"
    with start_slow(out, files) as process:
        assert process.stdout
        shown = [json.loads(process.stdout.readline())["path"] for _ in range(2)]
        process.send_signal(number)
        *more, last = process.stdout.read().splitlines()
    assert process.returncode == 0
    shown += [json.loads(line)["path"] for line in more]
    assert len(shown) < len(files)
    assert last == f"closed True {len(shown)}"
    assert [row["path"] for row in read_rows(out)] == shown
    again = ByteDispatcher()
    score_files(again, files, mode=ModeChoice.FAST, out=out, resume=True)
    assert again.asked == [path.name for path in files[len(shown) :]]


def test_a_killed_batch_goes_on_from_its_journal(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with start_slow(out, files) as process:
        assert process.stdout
        for _ in range(3):
            process.stdout.readline()
        process.kill()
        process.stdout.read()
    assert not out.exists()
    again = ByteDispatcher()
    outcome = score_files(again, files, mode=ModeChoice.FAST, out=out, resume=True)
    assert outcome.kept >= 3
    assert "a" not in again.asked
    assert len(read_rows(out)) == len(files)
    assert not list(tmp_path.glob("*.partial.jsonl"))


def test_a_signal_waits_for_a_safe_moment() -> None:
    before = signal.getsignal(signal.SIGINT)  # a shell starts background jobs with it ignored
    with Interruption().installed() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        reached = True
        with pytest.raises(Interrupted), interruption.allowed():
            reached = False
        assert reached
        with interruption.allowed():  # the request was taken: cleaning up may go on
            reached = False
        assert not reached
    assert signal.getsignal(signal.SIGINT) is before


def test_a_full_disk_ends_the_batch_with_its_rows_shown(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(OutputError, match="go on with --resume"):
            score_files(ByteDispatcher(), files, mode=ModeChoice.FAST, out=out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    shown = capsys.readouterr().out
    assert "7.00" in shown
    assert "Stopped with" in shown
    again = ByteDispatcher()
    outcome = score_files(again, files, mode=ModeChoice.FAST, out=out, resume=True)
    assert outcome.kept >= 1
    assert "a" not in again.asked
    assert len(read_rows(out)) == len(files)


def test_results_that_nobody_can_take_are_told() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "moderation", "plugins"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 4
    assert run.stderr.startswith("moderation: output: the output cannot be written: No space")


def test_a_dispatcher_that_fails_altogether_loses_nothing(
    files: list[Path], tmp_path: Path
) -> None:
    class Failing(ByteDispatcher):
        def _one(self, path: Path, mode: Mode, seen: dict[str, str]) -> ItemResult:
            if path.name == "bad":
                raise JudgeError("no judge left", expected="one", remedy="Start it.")
            return super()._one(path, mode, seen)

    out = tmp_path / "r.jsonl"
    with pytest.raises(JudgeError):
        score_files(Failing(), files, mode=ModeChoice.FAST, out=out)
    assert [row["score"] for row in read_rows(out)] == [7.0, 2.0]
    again = ByteDispatcher()
    score_files(again, files, mode=ModeChoice.FAST, out=out, resume=True)
    assert again.asked == ["bad", "copy", "e", "gone\x1b[31m"]
