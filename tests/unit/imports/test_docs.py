"""docs/data.md: its commands parse, and it has a section for every layout."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from rl.commands.corpus import app
from rl.imports.csv_table import COLUMNS, LABELS
from rl.imports.names import LayoutName

TEXT = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^\$ moderation corpus (import .*)$", TEXT.replace("\\\n", " "), re.MULTILINE
)


def test_every_layout_has_a_section_and_a_command() -> None:
    headings = " ".join(re.findall(r"^## (.*)$", TEXT, re.MULTILINE))
    named = {shlex.split(command)[1] for command in COMMANDS}
    assert named == set(LayoutName)
    assert all(name in headings for name in set(LayoutName) - {LayoutName.AUTO})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_parse(command: str) -> None:
    name, *arguments = shlex.split(command)
    group = typer.main.get_command(app)
    found = group.commands[name].make_context(name, arguments)  # type: ignore[attr-defined]
    assert found.params["out"]


def test_the_columns_and_labels_of_a_csv_are_named() -> None:
    section = TEXT.split("## csv")[1]
    assert all(f"`{name}`" in section for name in (*COLUMNS, *LABELS))
