"""Help, wrong usage, doctor, plugins and what is printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from encoders.errors import DecodeTimeout
from moderation.cli.inspect import default_report
from moderation.cli.text import duration, printable, score_bar
from tests.unit.cli.byte_dispatcher import ROOT, moderation


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


def test_the_shell_completes_engines() -> None:
    asked = {"_MODERATION_COMPLETE": "complete_bash", "COMP_WORDS": "moderation score --engine "}
    run = subprocess.run(
        [Path(sys.executable).with_name("moderation")],
        env=os.environ | asked | {"COMP_CWORD": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"local", "celery", "ray"} <= set(run.stdout.split())


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
        (
            ["score", "a.mp4", "--engine", "slurm"],
            {},
            "expected one of: celery, local, ray",
        ),
        (["score", "a.mp4", "--engine", "celery"], {}, "MODERATION_BROKER_URL"),
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


@pytest.mark.parametrize("name", ["clip.mp4", "x" * 250 + ".mp4", "é" * 120 + ".mp4"])
def test_the_report_of_any_file_has_a_name_that_can_be_written(name: str, tmp_path: Path) -> None:
    report = default_report(Path("folder") / name)
    assert report.name.endswith(".report.html")
    assert report.name.startswith(name[:100])
    (tmp_path / report).write_text("it can")
