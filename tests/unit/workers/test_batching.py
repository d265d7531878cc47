"""Waiting for a fuller batch."""

import pytest

from workers.batching import ArrivalRate, wait_seconds


@pytest.mark.parametrize(
    ("due", "rate", "expected"),
    [
        (0, 1000.0, 0.0),  # nothing to do
        (8, 1000.0, 0.0),  # full
        (2, 0.0, 0.0),  # nothing comes
        (2, 9.0, 0.0),  # less than one comes in the time
        (2, 120.0, 0.05),  # six more take exactly the time
        (2, 600.0, 0.01),  # six more come sooner
        (2, 20.0, 0.05),  # some come, not all
    ],
)
def test_it_waits_for_what_is_expected_in_the_time(due: int, rate: float, expected: float) -> None:
    bounds = {"items_max": 8, "wait_seconds_max": 0.05}
    assert wait_seconds(due, items_per_second=rate, **bounds) == pytest.approx(expected)


def test_the_rate_follows_what_comes() -> None:
    rate = ArrivalRate()
    rate.note(4, 10.0)
    assert rate.items_per_second == 0.0
    rate.note(4, 11.0)
    assert rate.items_per_second == pytest.approx(0.3 * 4)
    for second in range(12, 60):
        rate.note(4, float(second))
    assert rate.items_per_second == pytest.approx(4.0, rel=1e-6)
