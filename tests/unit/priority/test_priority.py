"""Orders against closed forms, ageing against its inverse, cμ against all permutations."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moderation.priority.ageing import Ageing
from moderation.priority.factors import PriorityFactors, prioritise
from moderation.priority.facts import TaskFacts
from moderation.priority.lanes import Lane, is_reserved_turn
from moderation.priority.orders import (
    AvoidableHarm,
    CMu,
    FirstInFirstOut,
    Order,
    RawScore,
    ValueOfInformation,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACTS = TaskFacts(
    score=3.0,
    probability=0.4,
    severity=2.0,
    missed=10.0,
    cost_of_wrong=50.0,
    wrong_per_view=0.3,
    remaining_views=100.0,
    views_per_hour=20.0,
    minutes=4.0,
    reviewer_error=0.1,
    is_held=False,
)
ORDERS: tuple[Order, ...] = (
    FirstInFirstOut(),
    RawScore(),
    CMu(),
    ValueOfInformation(),
    AvoidableHarm(),
)


def task(order: Order, facts: TaskFacts[float] = FACTS, **options: object) -> PriorityFactors:
    """A task that arrived at `NOW`, with an SLA of eight hours."""
    return prioritise(order, facts, **{"arrived_at": NOW, "sla_hours": 8.0} | options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("order", "worth"),
    [
        (FirstInFirstOut(), 1.0),
        (RawScore(), 6.0),
        (CMu(), 0.4 * 2 * 20 / 4),
        # up = .4 (10 + 2 · 100) = 84, down = .6 · 50 = 30
        (ValueOfInformation(), 30 * 0.9 / 4),
        (AvoidableHarm(), (84 - 0.1 * 114) / 4),
    ],
)
def test_worth_by_hand(order: Order, worth: float) -> None:
    assert order.worth(FACTS) == pytest.approx(worth)


def test_worth_of_an_item_that_is_held() -> None:
    held = replace(FACTS, is_held=True)
    assert AvoidableHarm().worth(held) == pytest.approx((30 - 0.1 * 114) / 4)
    assert CMu().worth(held) == pytest.approx(0.6 * 0.3 * 20 / 4)


@pytest.mark.parametrize("order", ORDERS)
def test_arrays_of_tasks_are_worth_what_each_task_is(order: Order) -> None:
    rng = np.random.default_rng(0)
    columns = {
        name: rng.random(30) * scale
        for name, scale in {
            "score": 9,
            "probability": 1,
            "severity": 5,
            "missed": 50,
            "cost_of_wrong": 900,
            "wrong_per_view": 1,
            "remaining_views": 1000,
            "views_per_hour": 100,
            "reviewer_error": 1,
        }.items()
    } | {"minutes": rng.uniform(1, 9, 30), "is_held": rng.random(30) < 0.5}
    together = order.worth(TaskFacts(**columns))
    alone = [
        order.worth(TaskFacts(**{name: values[k].item() for name, values in columns.items()}))
        for k in range(30)
    ]
    np.testing.assert_allclose(together, alone)


def test_a_certain_item_that_is_up_is_worth_its_harm_and_not_its_information() -> None:
    certain = replace(FACTS, probability=1.0, reviewer_error=0.0)
    assert ValueOfInformation().worth(certain) == 0.0
    assert AvoidableHarm().worth(certain) == pytest.approx(210 / 4)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_review_of_an_item_that_is_up_is_worth_more_the_likelier_it_is_manipulated(
    p: float, q: float, error: float
) -> None:
    assume(error <= 0.5)
    low, high = (
        float(AvoidableHarm().worth(replace(FACTS, probability=one, reviewer_error=error)))
        for one in sorted((p, q))
    )
    assert low <= high + 1e-9


def test_cmu_is_best_of_all_orders_where_harm_grows_steadily() -> None:
    """One reviewer, seven items that all wait from the start: every one of 5,040 orders."""
    rng = np.random.default_rng(5)
    items = [
        replace(
            FACTS,
            probability=float(rng.random()),
            severity=float(rng.uniform(1, 5)),
            views_per_hour=float(rng.uniform(1, 100)),
            minutes=float(rng.uniform(1, 10)),
        )
        for _ in range(7)
    ]

    def harm(order: tuple[int, ...]) -> float:
        elapsed, total = 0.0, 0.0
        for k in order:
            elapsed += items[k].minutes / 60.0
            total += items[k].probability * items[k].severity * items[k].views_per_hour * elapsed
        return total

    ranked = tuple(sorted(range(7), key=lambda k: -float(CMu().worth(items[k]))))
    best = min(permutations(range(7)), key=harm)
    assert harm(ranked) == pytest.approx(harm(best))
    by_arrival = tuple(range(7))
    assert harm(by_arrival) > 1.05 * harm(best)


def test_priority_doubles_at_the_sla() -> None:
    one = task(AvoidableHarm())
    assert one.value(NOW) == one.worth
    assert one.value(NOW + timedelta(hours=8)) == pytest.approx(2 * one.worth)
    assert one.value(NOW + timedelta(hours=16)) == pytest.approx(9 * one.worth)
    assert one.value(NOW - timedelta(hours=1)) == one.worth
    assert task(CMu()).value(NOW + timedelta(days=9)) == task(CMu()).worth


ages = st.floats(0.0, 1e4)


@given(st.floats(1e-6, 1e6), st.floats(0.1, 8.0), st.floats(0.5, 1e3), ages, st.floats(1.01, 1e6))
def test_the_time_of_a_level_is_when_the_priority_has_it(
    worth: float, exponent: float, sla: float, age: float, times: float
) -> None:
    one = replace(
        task(AvoidableHarm()), worth=worth, ageing=Ageing(exponent=exponent), sla_hours=sla
    )
    when = one.exceeds_at(times * worth)
    if when is not None:
        # Times have microseconds, which small ages at high exponents notice.
        assume((when - NOW) > timedelta(seconds=1))
        assert one.value(when) == pytest.approx(times * worth, rel=1e-4)
    now = NOW + timedelta(hours=age)
    later = one.next_rerank_at(now, growth=0.05)
    if later is not None and later - NOW > timedelta(seconds=1):
        assert one.value(later) == pytest.approx(1.05 * one.value(now), rel=1e-4)


def test_what_never_grows_is_never_ranked_anew() -> None:
    assert task(CMu()).next_rerank_at(NOW) is None
    assert replace(task(AvoidableHarm()), worth=0.0).next_rerank_at(NOW) is None
    assert replace(task(AvoidableHarm()), worth=1e-300).exceeds_at(1e300) is None
    assert task(CMu()).exceeds_at(1e9) is None
    assert task(CMu()).exceeds_at(0.1) == NOW
    with pytest.raises(ValueError, match="above 0"):
        task(CMu()).next_rerank_at(NOW, growth=0.0)


def test_lanes_go_before_priorities_and_deadlines_before_worth() -> None:
    late, soon = NOW + timedelta(hours=48), NOW + timedelta(hours=2)
    order = AvoidableHarm()
    little = replace(FACTS, remaining_views=0.0, missed=0.1)
    tasks = [
        task(order, is_deferred=True),
        task(order, little),
        task(order),
        task(order, deadline_at=late),
        task(order, little, deadline_at=soon, is_deferred=True),
    ]
    assert sorted(tasks, key=lambda one: one.sort_key(NOW)) == tasks[::-1]
    assert [one.lane for one in tasks] == [Lane.DEFERRED, *[Lane.ORDINARY] * 2, *[Lane.LEGAL] * 2]


def test_ties_go_to_the_older_task() -> None:
    arrivals = [NOW + timedelta(minutes=k) for k in range(5)]
    tasks = [task(FirstInFirstOut(), arrived_at=when) for when in arrivals]
    shuffled = [tasks[k] for k in (3, 0, 4, 2, 1)]
    ranked = sorted(shuffled, key=lambda one: one.sort_key(NOW + timedelta(days=1)))
    assert [one.arrived_at for one in ranked] == arrivals


@given(st.floats(0.0, 1.0), st.integers(0, 2000))
def test_reserved_turns_are_spread_evenly(share: float, start: int) -> None:
    turns = [is_reserved_turn(k, share) for k in range(start, start + 500)]
    assert abs(sum(turns) - 500 * share) < 1.0 + 1e-6
    marks = [k for k, reserved in enumerate(turns) if reserved]
    gaps = [after - before for before, after in pairwise(marks)]
    assert not gaps or max(gaps) - min(gaps) <= 1 or share > 0.5


@pytest.mark.parametrize("order", ORDERS)
def test_every_factor_is_stored_and_told(order: Order) -> None:
    one = task(order, deadline_at=NOW + timedelta(hours=48), is_sampled=True)
    assert PriorityFactors.from_json(json.loads(json.dumps(one.as_json()))) == one
    told = one.explain(NOW + timedelta(hours=9))
    assert told[0].startswith("legal lane, due 2026-03-03 12:00 UTC")
    assert "9.0 of 8 hours, which is over" in told[2]
    assert f"order {order.name}" in told[3]


def test_the_words_of_a_harm_hold_its_numbers() -> None:
    told = " ".join(task(AvoidableHarm()).explain(NOW))
    for number in ("84", "30", "0.4", "100 views", "4 minutes", "10%", "priority 18.15"):
        assert number in told


@pytest.mark.parametrize(
    "options",
    [
        {"probability": 1.1},
        {"minutes": 0.0},
        {"severity": -1.0},
        {"remaining_views": float("inf")},
        {"reviewer_error": float("nan")},
    ],
)
def test_facts_check_themselves(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        replace(FACTS, **options)


def test_times_have_a_zone_and_exponents_a_range() -> None:
    with pytest.raises(ValueError, match="time zone"):
        task(CMu(), arrived_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="exponent"):
        Ageing(exponent=0.0)
