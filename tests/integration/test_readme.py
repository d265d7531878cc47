"""What the README tells people to run, runs."""

import re
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from moderation.cli.plugin_commands import add_plugins
from moderation.cli.root import app

GROUPS = {
    "audit",
    "calibrate",
    "corpus",
    "detectors",
    "keys",
    "models",
    "policy",
    "probes",
    "queue",
}
README = Path("README.md").read_text(encoding="utf-8")


@pytest.mark.weights
def test_python_blocks_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert 0.0 <= float(capsys.readouterr().out) <= 9.0


def test_every_command_and_option_exists() -> None:
    add_plugins(app)
    lines = re.findall(r"^\$ \.venv/bin/moderation (.+)$", README, re.MULTILINE)
    assert len(lines) > 5
    names = set(get_command(app).commands)  # type: ignore[attr-defined]
    for line in lines:
        words = line.split("#")[0].split()
        if words[0].startswith("--"):
            continue
        assert words[0] in names, line
        route = words[:2] if words[0] in GROUPS else words[:1]
        shown = CliRunner().invoke(app, [*route, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.output, line
