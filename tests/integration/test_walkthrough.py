"""`docs/walkthrough.md`, run as it stands: a real server, real files, real models."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")


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
