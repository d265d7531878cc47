"""docs/evaluation.md: its commands parse, its Python imports what is there, its counts are true."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from rl.commands.compare import compare_command
from rl.commands.evaluate import evaluate_command
from rl.evaluation.run import INJECTION_PAIRS, ROBUSTNESS_PAIRS
from rl.probes.degradations import grid
from rl.probes.injection import injections

TEXT = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\$ moderation (evaluate|compare) (.*)$", TEXT, re.MULTILINE)
COMMANDS = {"evaluate": evaluate_command, "compare": compare_command}


def parsed(name: str, arguments: str) -> dict[str, object]:
    app = typer.Typer()
    app.command()(COMMANDS[name])
    return typer.main.get_command(app).make_context(name, shlex.split(arguments)).params


@pytest.mark.parametrize(("name", "arguments"), LINES)
def test_the_commands_parse(name: str, arguments: str) -> None:
    assert parsed(name, arguments)


def test_the_defaults_are_those_of_the_call() -> None:
    found = parsed("evaluate", "--manifest x")
    assert found["robustness_pairs"] == ROBUSTNESS_PAIRS
    assert found["injection_pairs"] == INJECTION_PAIRS
    assert f"64 degradations | {ROBUSTNESS_PAIRS} |" in TEXT
    assert len(grid()) == 64
    assert f"{len(injections())} tricks with a twin each | {INJECTION_PAIRS} |" in TEXT


def test_the_python_names_what_is_there() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        tree = ast.parse(block)
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), "docs/evaluation.md", "exec"), {})
