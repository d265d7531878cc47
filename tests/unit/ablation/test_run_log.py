"""runs.jsonl: whole lines only, one a run."""

from pathlib import Path

import pytest

from moderation.errors import ManifestError
from moderation.types import Mode
from rl.ablation.run_log import FinishedRun, RunLog


def run(row: str, seed: int = 0) -> FinishedRun:
    return FinishedRun(
        row=row,
        seed=seed,
        mode=Mode.FULL,
        recipe_sha256="0" * 64,
        predictions=f"seed-{seed}/{row}/predictions.parquet",
        generated_tokens=120,
        steps=3,
        wall_seconds=1.5,
        platt={"slope": -0.5, "intercept": 2.0, "items": 40},
        figures={"test": {"mae": 1.0, "pearson": None}},
    )


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    assert log.read() == []
    for one in (run("real"), run("raft"), run("real", 1)):
        log.append(one)
    assert log.read() == [run("real"), run("raft"), run("real", 1)]


def test_a_run_is_never_there_twice(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append(run("real"))
    with pytest.raises(ManifestError, match="'real' with seed 0 has finished before"):
        log.append(run("real"))
    log.path.write_text(log.path.read_text() * 2)
    with pytest.raises(ManifestError, match="there twice"):
        log.read()


@pytest.mark.parametrize("kept", [0.1, 0.9])
def test_a_half_written_line_is_no_run_and_does_not_spoil_the_next(
    tmp_path: Path, kept: float
) -> None:
    log = RunLog(tmp_path)
    log.append(run("raft"))
    whole = log.path.read_text()
    log.append(run("real"))
    line = log.path.read_text()[len(whole) :]
    log.path.write_text(whole + line[: int(kept * len(line))])
    assert log.read() == [run("raft")]
    log.append(run("real"))
    assert log.read() == [run("raft"), run("real")]


def test_the_very_first_line_may_be_half_written(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.path.write_text('{"row": "re')
    log.append(run("real"))
    assert log.read() == [run("real")]


def test_a_line_that_is_no_run_is_named(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append(run("real"))
    with log.path.open("a") as stream:
        stream.write('{"row": "raft"}\n')
    with pytest.raises(ManifestError, match="line 2"):
        log.read()
