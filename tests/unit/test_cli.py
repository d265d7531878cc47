"""The command line over a dispatcher that reads real files and scores their bytes."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from encoders.errors import DecodeTimeout
from encoders.types import Modality
from moderation.cli.inspect import default_report
from moderation.cli.interruption import Interrupted, Interruption
from moderation.cli.score import ModeChoice, Order, score_files
from moderation.cli.text import duration, printable, score_bar
from moderation.errors import JudgeError, OutputError
from moderation.result_files import read_rows
from moderation.types import ItemError, ItemResult, Judgment, Mode

ROOT = Path(__file__).parents[2]


class ByteDispatcher:
    """Scores a file by its first byte (an ASCII digit); anything else is unsupported."""

    judge_id = "first-byte/1"

    def __init__(self, pause_seconds: float = 0.0, setup: str = "usual") -> None:
        self.setup = setup
        self.limits = "wide"
        self.asked: list[str] = []
        self.is_closed = False
        self._pause_seconds = pause_seconds

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        seen: dict[str, str] = {}
        try:
            for path in paths:
                time.sleep(self._pause_seconds)
                self.asked.append(path.name)
                yield self._one(path, mode, seen)
        finally:
            self.is_closed = True

    def _one(self, path: Path, mode: Mode, seen: dict[str, str]) -> ItemResult:
        try:
            content = path.read_bytes()
        except OSError as error:
            found = ItemError("unreadable_file", str(error), "a file", "Check it.", False)
            return ItemResult(str(path), None, None, None, None, found)
        digest = hashlib.sha256(content).hexdigest()
        if not content[:1].isdigit():
            found = ItemError("unsupported_media", "no media", "media", "Convert it.", False)
            return ItemResult(str(path), digest, None, None, None, found)
        digit = int(content[:1])
        digits = tuple(float(k == digit) for k in range(10))
        judgment = Judgment(digits, 1.0, float(digit), mode, self.judge_id)
        first = seen.setdefault(digest, str(path))
        return ItemResult(
            str(path),
            digest,
            Modality.AUDIO,
            2.0,
            judgment,
            None,
            duplicate_of=None if first == str(path) else first,
        )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for name, content in {"a": "7", "b": "2x", "bad": "?", "copy": "7", "e": "9"}.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(content)
    return [*paths, tmp_path / "gone\x1b[31m"]


def moderation(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MODERATION_")}
    return subprocess.run(
        [sys.executable, "-m", "moderation", *map(str, arguments)],
        cwd=ROOT,
        env=clean | {"NO_COLOR": "1", "COLUMNS": "160"} | environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


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


@pytest.mark.parametrize("name", ["clip.mp4", "x" * 250 + ".mp4", "é" * 120 + ".mp4"])
def test_the_report_of_any_file_has_a_name_that_can_be_written(name: str, tmp_path: Path) -> None:
    report = default_report(Path("folder") / name)
    assert report.name.endswith(".report.html")
    assert report.name.startswith(name[:100])
    (tmp_path / report).write_text("it can")


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
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("test_cli", {test!r})
module = module_from_spec(spec)
spec.loader.exec_module(module)
from moderation.cli.interruption import Interruption
dispatcher = module.ByteDispatcher(pause_seconds=0.2)
files = [Path(name) for name in sys.argv[2:]]
with Interruption().installed() as interruption:
    outcome = module.score_files(dispatcher, files, mode=module.ModeChoice.FAST, as_json=True,
        out=Path(sys.argv[1]), resume=True, interruption=interruption)
print("closed" if dispatcher.is_closed else "open", outcome.is_interrupted, len(outcome.results))
"""


def start_slow(out: Path, files: list[Path]) -> "subprocess.Popen[str]":
    code = RUN.format(test=__file__)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(out), *map(str, files)],
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


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "whisper", "open_clip", "decord", "matplotlib", "av")
    code = (
        "import sys\n"
        "from moderation.cli import main\n"
        "sys.argv = ['moderation', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(sorted(set(sys.modules) & {{*{(*heavy, 'numpy', 'pydantic', 'pyarrow')!r}}}),"
        "file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "inspect" in run.stdout
    assert run.stderr.splitlines()[-1] == "[]"


def test_version() -> None:
    from moderation import __version__

    assert moderation("--version").stdout == f"moderation {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["score", "a.mp4"], {"MODERATION_DEVISE": "cpu"}, "configuration: unknown environment"),
        (["score", "a.mp4", "--device", "gpu"], {}, "configuration: device is 'gpu'"),
        (["score", "a.mp4", "--out", "r.xlsx"], {}, "ends in '.xlsx'"),
        (["score", "a.mp4", "--out", "no/such/r.csv"], {}, "cannot be written"),
        (["score", "a.mp4", "--resume"], {}, "--resume needs --out"),
        (["score", "a.mp4", "--rationales", "3"], {}, "needs --mode full"),
        (["inspect", "README", "--out", "no/such/r.html"], {}, "cannot be written"),
        (["score"], {}, "Missing argument"),
    ],
)
def test_wrong_usage_exits_with_2_and_one_message(
    arguments: list[str], environment: dict[str, str], told: str
) -> None:
    run = moderation(*arguments, **environment)
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    run = moderation("score", tmp_path)
    assert run.returncode == 2
    assert "no files in" in run.stderr


def test_debug_shows_the_traceback() -> None:
    run = moderation("--debug", "score", "a", "--device", "gpu")
    assert "Traceback" in run.stderr
    assert run.returncode == 2


def test_a_report_never_overwrites_the_evidence(tmp_path: Path) -> None:
    evidence = tmp_path / "clip.mp4"
    evidence.write_bytes(b"evidence")
    (tmp_path / "link.html").symlink_to(evidence)
    run = moderation("inspect", evidence, "--out", tmp_path / "link.html")
    assert run.returncode == 2
    assert "is the file itself" in run.stderr
    assert evidence.read_bytes() == b"evidence"


def test_plugins_lists_installed_entry_points(tmp_path: Path) -> None:
    info = tmp_path / "acme-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 3.1\n")
    (info / "entry_points.txt").write_text("[moderation.judges]\nacme = json:loads\n")
    run = moderation("plugins", "--json", PYTHONPATH=str(tmp_path))
    found = [plugin for plugin in json.loads(run.stdout) if plugin["name"] == "acme"]
    assert found == [
        {
            "group": "moderation.judges",
            "name": "acme",
            "value": "json:loads",
            "distribution": "acme",
            "version": "3.1",
            "is_used": False,
        }
    ]
    assert "acme 3.1" in moderation("plugins", PYTHONPATH=str(tmp_path)).stdout


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    run = moderation("doctor", "--json", MODERATION_CACHE_DIR=str(tmp_path / "empty"))
    findings = json.loads(run.stdout)
    assert {"program", "packages", "PyAV", "Pillow", "device", "cache"} <= {
        f["name"] for f in findings
    }
    assert all(f["remedy"] for f in findings if f["verdict"] != "ok")
    # An empty cache has no weights, so something is missing.
    assert any(f["verdict"] == "missing" for f in findings)
    assert run.returncode == 1


def test_error_lines_cannot_steer_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\u202ename\n\udcff"
    assert printable(hostile) == "\\x1b]0;owned\\x07\\u202ename\\x0a\\xff"
    error = DecodeTimeout("wall_seconds", hostile, expected="less", remedy="Skip it.")
    assert "\x1b" not in printable(str(error))


@pytest.mark.parametrize(
    ("score", "bar"),
    [(0.0, ""), (0.5, "▌"), (4.0, "████"), (8.99, "█████████"), (9.0, "█████████")],
)
def test_score_bar(score: float, bar: str) -> None:
    filled, empty = score_bar(score)
    assert filled == bar
    assert len(filled) + len(empty) == 9
    assert len("".join(score_bar(score, unicode=False))) == 9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0, ""), (4.06, "4.1 s"), (59.97, "1:00"), (3661.2, "1:01:01")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
