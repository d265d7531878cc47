"""docs/calibration.md: its commands parse, its Python imports what is there."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from moderation import registry
from moderation.cli.calibrate import app
from moderation.registry import PluginGroup

TEXT = (Path(__file__).parents[3] / "docs" / "calibration.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\$ moderation calibrate (\w+) (.*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("name", "arguments"), LINES)
def test_the_commands_parse(name: str, arguments: str) -> None:
    group = typer.main.get_command(app)
    assert group.commands[name].make_context(name, shlex.split(arguments)).params


def test_every_command_and_method_is_named() -> None:
    assert [name for name, _ in LINES] == ["fit", "report", "apply", "monitor"]
    for plugin in registry.plugins(PluginGroup.CALIBRATORS):
        assert f"| `{plugin.name}` |" in TEXT


def test_the_python_names_what_is_there() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    imports = [node for node in ast.parse(block).body if isinstance(node, ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "docs/calibration.md", "exec"), {})
