"""`docs/walkthrough.md`, run as it stands: a real server, real files, real models."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moderation.cli.root import app
from moderation.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.weights
def test_the_walkthrough_runs_from_an_empty_folder(tmp_path: Path) -> None:
    for program in ("bash", "curl", "jq", "ffmpeg"):
        assert shutil.which(program), f"{program} is missing: run deploy/setup-system.sh"
    programs = tmp_path / "bin"
    programs.mkdir()
    # The command that is installed may be of another copy of the source than this one.
    command = programs / "moderation"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m moderation "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "empty"
    folder.mkdir()
    blocks = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    script = tmp_path / "walkthrough.sh"
    script.write_text("set -euo pipefail\n" + "\n".join(blocks))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    cache = {name: value for name, value in os.environ.items() if name == "MODERATION_CACHE_DIR"}
    ran = subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env=kept
        | cache
        | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SAMPLES": str(ROOT / "docs" / "samples"),
            "PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    told = ran.stdout
    assert told.count("The chain is whole.") == 2
    assert "decided\treviewer:ann" in told
    assert "statement_issued" in told
    assert "appeal_decided\treviewer:ben" in told


def test_the_blocks_of_the_description_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", API, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), {})


def test_every_command_of_the_description_exists() -> None:
    lines = re.findall(r"^\$ moderation (.+)$", API, re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        words = line.split("#")[0].split()
        route = words[:2] if words[0] in {"keys", "queue"} else words[:1]
        shown = CliRunner().invoke(app, [*route, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.output, line


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"MODERATION_([A-Z_]+)", API + TEXT))
    assert {name.lower() for name in named} <= set(Settings.model_fields)
