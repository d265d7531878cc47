"""A table of results that no spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.web.upload_results import COLUMNS, csv_bytes

STARTS = "=+-@\t\r\n"


def read_back(name: str) -> str:
    row = dict.fromkeys(COLUMNS) | {"name": name}
    [found] = csv.DictReader(io.StringIO(csv_bytes([row]).decode(), newline=""))
    return found["name"]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", " ", "  "])
def test_no_cell_begins_a_formula(start: str, before: str) -> None:
    name = f"{before}{start}cmd|' /C calc'!A0"
    assert read_back(name) == f"'{name}"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=50))
def test_any_name_survives_but_for_the_quote(name: str) -> None:
    found = read_back(name)
    assert found in (name, f"'{name}")
    assert not found.lstrip(" ").startswith(tuple(STARTS))
