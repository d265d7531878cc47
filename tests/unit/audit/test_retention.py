"""What is due when, and which files go with it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.audit.retention import (
    Erasure,
    KeptItem,
    RetentionPolicy,
    Stage,
    plan_request,
    plan_retention,
)
from moderation.errors import ConfigurationError

POLICY = RetentionPolicy(allowed_days=10, decided_days=20, appealed_days=30)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def kept(item: str, stage: Stage, days: float, *media: str) -> KeptItem:
    return KeptItem(item, stage, NOW - timedelta(days=days), media)


@pytest.mark.parametrize(
    ("stage", "days", "is_due"),
    [
        (Stage.ALLOWED, 10, True),
        (Stage.ALLOWED, 9.999, False),
        (Stage.DECIDED, 20, True),
        (Stage.DECIDED, 19.999, False),
        (Stage.APPEALED, 30, True),
        (Stage.APPEALED, 29.999, False),
        (Stage.OPEN, 10_000, False),
    ],
)
def test_each_stage_has_its_period(stage: Stage, days: float, is_due: bool) -> None:
    planned = plan_retention([kept("a", stage, days, "f")], POLICY, NOW)
    expected = (Erasure("a", ("f",), "retention", str(stage)),) if is_due else ()
    assert planned == expected


def test_the_longest_due_goes_first() -> None:
    items = [kept("b", Stage.DECIDED, 21), kept("a", Stage.ALLOWED, 50), kept("c", Stage.OPEN, 99)]
    assert [one.item for one in plan_retention(items, POLICY, NOW)] == ["a", "b"]


def test_a_shared_file_stays_for_who_needs_it() -> None:
    items = [kept("a", Stage.ALLOWED, 50, "own", "shared"), kept("b", Stage.OPEN, 1, "shared")]
    assert plan_retention(items, POLICY, NOW)[0].media == ("own",)
    assert plan_request(items, "a", 7) == Erasure("a", ("own",), "request", request=7)
    assert plan_request(items, "b", 7).media == ()
    both = [kept("a", Stage.ALLOWED, 50, "shared"), kept("b", Stage.ALLOWED, 50, "shared")]
    assert [one.media for one in plan_retention(both, POLICY, NOW)] == [("shared",)] * 2
    assert plan_request(items, "nobody", 7).media == ()


ITEMS = st.lists(
    st.builds(
        kept,
        st.sampled_from("abcdef"),
        st.sampled_from(Stage),
        st.floats(0, 60),
        st.sampled_from(["f", "g", "h"]),
    ),
    unique_by=lambda one: one.item,
)


@given(ITEMS)
def test_no_file_goes_that_somebody_needs(items: list[KeptItem]) -> None:
    planned = plan_retention(items, POLICY, NOW)
    going = {one.item for one in planned}
    gone = {name for one in planned for name in one.media}
    assert not gone & {name for one in items if one.item not in going for name in one.media}
    later = plan_retention(items, POLICY, NOW + timedelta(days=1))
    assert going <= {one.item for one in later}


def test_a_period_must_be_positive_and_a_time_have_a_zone() -> None:
    with pytest.raises(ConfigurationError):
        RetentionPolicy(allowed_days=0)
    with pytest.raises(ValueError, match="time zone"):
        KeptItem("a", Stage.OPEN, datetime(2026, 1, 1))
