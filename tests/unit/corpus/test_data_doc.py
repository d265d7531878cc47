"""docs/data.md: the commands that build a corpus parse, and what they name is there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from rl.commands.corpus import app
from rl.corpus.recipe import SPLITS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ moderation corpus ((?:build|fetch) .*)$", TEXT, re.MULTILINE)


def test_there_is_one_of_each() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"build", "fetch"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_parse_and_their_files_exist(command: str) -> None:
    name, *arguments = shlex.split(command)
    group = typer.main.get_command(app)
    found = group.commands[name].make_context(name, arguments)  # type: ignore[attr-defined]
    named = found.params.get("recipe") or found.params.get("listed")
    assert (ROOT / named).is_file()


def test_every_split_is_explained() -> None:
    assert all(f"`{split}`" in TEXT for split in SPLITS)
