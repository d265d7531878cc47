"""Numbers in words, and addresses of next pages."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from moderation.review.errors import NotFound
from moderation.web.cursors import cursor, read_cursor
from moderation.web.wording import counted, duration, number, percent


def test_what_is_not_known_is_a_dash() -> None:
    numbers = {number(None), number(math.nan), percent(math.inf)}
    assert numbers | {duration(None), duration(math.nan)} == {"—"}


def test_numbers_and_shares_are_rounded() -> None:
    assert (number(1234.567), number(0.5, 0), percent(0.126), percent(0.126, 1)) == (
        *("1,234.57", "0", "13 %", "12.6 %"),
    )


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=1, minutes=59), "3 d 1 h"),
    ],
)
def test_times_are_told_in_their_largest_units(span: timedelta | float, told: str) -> None:
    assert duration(span) == told


def test_one_is_one_and_more_are_more() -> None:
    assert [counted(1, "task"), counted(0, "task"), counted(2000, "upload is", "uploads are")] == [
        *("1 task", "0 tasks", "2,000 uploads are"),
    ]


@pytest.mark.parametrize("micros", [0, 1, 999_999])
def test_a_cursor_keeps_its_moment(micros: int) -> None:
    at = datetime(2026, 5, 4, 9, 30, 1, micros, tzinfo=UTC)
    assert read_cursor(cursor(at, "0f4e")) == (at, "0f4e")


@pytest.mark.parametrize("text", ["x", "1.5-a", "1.000000-", "99999999999999.000000-a", "\0"])
def test_a_cursor_that_nobody_gave_is_refused(text: str) -> None:
    with pytest.raises(NotFound):
        read_cursor(text)
