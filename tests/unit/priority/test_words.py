"""Amounts for people: three digits that count, and no exponent."""

import math

import pytest

from moderation.priority.words import amount


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (2_112_345.6, "2,110,000"),
        (7_874, "7,870"),
        (424.4, "424"),
        (49.26, "49.3"),
        (1.0, "1"),
        (0.0481, "0.0481"),
        (1.5e-7, "0.00000015"),
        (-2_500, "-2,500"),
        (9.999, "10"),
        (math.inf, "inf"),
    ],
)
def test_three_digits_count(value: float, told: str) -> None:
    assert amount(value) == told


def test_as_many_digits_as_are_asked_for() -> None:
    assert amount(18.1512, digits=4) == "18.15"
