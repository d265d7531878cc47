"""The command line over a dispatcher that reads real files and scores their bytes."""

import json
from pathlib import Path

import pytest

from moderation.cli.score import ModeChoice, Order, score_files
from moderation.cli.text import printable
from moderation.result_files import read_rows
from moderation.types import ItemResult, Mode
from tests.unit.cli.byte_dispatcher import ByteDispatcher


def test_table_shows_every_file_in_order(
    files: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    outcome = score_files(ByteDispatcher(), files, mode=ModeChoice.FAST)
    shown = capsys.readouterr().out
    lines = shown.splitlines()[1:-1]
    assert len(lines) == len(files)
    for line, path in zip(lines, files, strict=True):
        assert printable(str(path)) in line
    assert lines[0].split()[:2] == ["7.00", "███████··"]
    assert "unsupported_media: no media. Convert it." in lines[2]
    assert f"same bytes as {files[0]}" in lines[3]
    assert shown.splitlines()[-1].startswith("4 scored, 2 failed, 1 with the bytes of another")
    assert "\x1b" not in shown
    assert (outcome.scored, outcome.failed, outcome.duplicates) == (4, 2, 1)


def test_sorted_by_score_is_stable_with_failures_last(
    files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    score_files(ByteDispatcher(), files, mode=ModeChoice.FAST, as_json=True, sort=Order.SCORE)
    captured = capsys.readouterr()
    names = [Path(json.loads(line)["path"]).name for line in captured.out.splitlines()]
    assert names == ["b", "a", "copy", "e", "bad", "gone\x1b[31m"]
    assert "4 scored, 2 failed" in captured.err


def test_json_lines_come_while_the_batch_runs(
    files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lines_before: list[int] = []

    class Watching(ByteDispatcher):
        def _one(self, path: Path, mode: Mode, seen: dict[str, str]) -> ItemResult:
            lines_before.append(capsys.readouterr().out.count("\n"))
            return super()._one(path, mode, seen)

    score_files(Watching(), files, mode=ModeChoice.FAST, as_json=True)
    assert lines_before == [0, 1, 1, 1, 1, 1]


def test_resume_scores_only_what_is_new_or_changed(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    score_files(ByteDispatcher(), files, mode=ModeChoice.FAST, out=out)
    files[1].write_text("5")
    files.insert(0, tmp_path / "fresh")
    files[0].write_text("1")
    again = ByteDispatcher()
    outcome = score_files(again, files, mode=ModeChoice.FAST, out=out, resume=True)
    assert again.asked == ["fresh", "b", "gone\x1b[31m"]
    assert outcome.kept == 4
    scores = [row["score"] for row in read_rows(out)]
    assert scores == [1.0, 7.0, 5.0, None, 7.0, 9.0, None]


def test_resume_keeps_rows_of_other_files_and_other_modes(
    files: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "r.csv"
    score_files(ByteDispatcher(), files, mode=ModeChoice.FAST, out=out)
    before = read_rows(out)
    score_files(ByteDispatcher(), files[:1], mode=ModeChoice.FULL, out=out, resume=True)
    score_files(ByteDispatcher(), files[:1], mode=ModeChoice.FAST, out=out, resume=True)
    after = read_rows(out)
    assert sorted(row["path"] for row in after if row["mode"] == "fast") == sorted(
        row["path"] for row in before
    )
    assert [row["path"] for row in after if row["mode"] == "full"] == [str(files[0])]


def test_resume_scores_again_what_was_read_in_another_way(
    files: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "r.csv"
    score_files(ByteDispatcher(), files, mode=ModeChoice.FAST, out=out)
    again = ByteDispatcher(setup="other")
    outcome = score_files(again, files[:2], mode=ModeChoice.FAST, out=out, resume=True)
    assert again.asked == ["a", "b"]
    assert outcome.kept == 0
    setups = {Path(row["path"]).name: row["setup"] for row in read_rows(out)}
    assert len(setups) == len(read_rows(out))
    assert (setups["a"], setups["b"], setups["e"]) == ("other", "other", "usual")
