"""Resolution, rest and draws, without a database."""

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from moderation.review.quality import checked
from moderation.review.resolution import Ask, Rule, Standing, resolve
from moderation.review.rules import ReviewRules
from moderation.review.types import Action, Decision, Desk, Finding, TaskKind, Verdict, Wellness
from moderation.review.wellness import DAY, Work, break_ends_at, cap_ends_at, go_on

T0 = datetime(2026, 1, 1, tzinfo=UTC)
FINDINGS = [Finding(v, a, reason_code="r") for v, a in product(Verdict, list(Action)[:2])]


def standing(kind: TaskKind, finding: Finding, desk: Desk = Desk.GENERAL) -> Standing:
    return Standing(Decision(kind, kind, "case", kind, finding, T0, T0), kind, desk)


@pytest.mark.parametrize("adjudication", [Desk.GENERAL, Desk.LEAD])
def test_every_pair_and_triple_of_findings(adjudication: Desk) -> None:
    for first, second, third in product(FINDINGS, repeat=3):
        a, b, c = (
            standing(kind, finding)
            for kind, finding in zip(
                (TaskKind.FIRST, TaskKind.SECOND, TaskKind.THIRD),
                (first, second, third),
                strict=True,
            )
        )

        def step(*found: Standing) -> Rule | Ask | None:
            return resolve(found, is_sampled=True, adjudication=adjudication)

        assert step() is step(b) is None
        assert step(a) == Ask(TaskKind.SECOND, Desk.GENERAL)
        if first == second:
            assert step(a, b) == Rule(a.decision)
        elif adjudication is Desk.LEAD:
            assert step(a, b) == Ask(TaskKind.LEAD, Desk.LEAD)
        else:
            assert step(a, b) == Ask(TaskKind.THIRD, Desk.GENERAL)
            agrees = third in (first, second)
            expected = Rule(c.decision) if agrees else Ask(TaskKind.LEAD, Desk.LEAD)
            assert step(a, b, c) == expected
        last = standing(TaskKind.LEAD, third, Desk.LEAD)
        assert step(a, b, last) == Rule(last.decision)


def test_without_a_sample_one_decision_rules_unless_it_asks_for_another() -> None:
    only = standing(TaskKind.FIRST, FINDINGS[0])
    assert resolve([only], is_sampled=False, adjudication=Desk.LEAD) == Rule(only.decision)


def test_checks_need_another_opinion() -> None:
    yes, no = Verdict.MANIPULATED, Verdict.AUTHENTIC
    assert list(checked([("1", "ann", yes)], "1")) == []
    against = {
        c.reviewer_id: c.is_error for c in checked([("1", "ann", yes), ("2", "ben", no)], "2")
    }
    assert against == {"ann": True}
    three = [("1", "ann", yes), ("2", "ben", no), ("3", "cem", no)]
    found = {c.reviewer_id: c.is_error for c in checked(three, "3")}
    assert found == {"ann": True, "ben": False, "cem": False}


@given(
    gaps=st.lists(st.tuples(st.floats(0, 40), st.floats(0, 40)), min_size=1, max_size=40),
    work_minutes=st.floats(1, 120),
    break_minutes=st.floats(1, 30),
)
def test_nobody_starts_after_too_long_without_a_pause(
    gaps: list[tuple[float, float]], work_minutes: float, break_minutes: float
) -> None:
    settings = Wellness(work_minutes=work_minutes, break_minutes=break_minutes)
    pause = timedelta(minutes=break_minutes)
    now, work = T0, None
    pause_ended, last = T0, T0
    for idle, busy in gaps:
        now += timedelta(minutes=idle)
        if work is None or now - last >= pause:
            pause_ended = now
        due = None if work is None else break_ends_at(settings, work, now)
        is_due = last - pause_ended >= timedelta(minutes=work_minutes) and now - last < pause
        assert (due is not None) == is_due
        if due is not None:
            assert due == last + pause
            continue
        work = go_on(settings, work, now)
        now += timedelta(minutes=busy)
        work, last = Work(work.began_at, now), now


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    settings = Wellness(work_minutes=10, break_minutes=5, harmful_daily_max=3)
    ahead = Work(T0 + 3 * DAY, T0 + 4 * DAY).seen_at(T0)
    assert break_ends_at(settings, ahead, T0) is None
    assert cap_ends_at(settings, T0 + 9 * DAY, T0) == T0 + DAY


def test_draws_are_uniform_and_always_the_same() -> None:
    rules = ReviewRules(salt="a")
    drawn = np.array([rules.draw("x", str(n)) for n in range(20_000)])
    assert kstest(drawn, "uniform").pvalue > 1e-4
    assert rules.draw("x", "1") == drawn[1] != ReviewRules(salt="b").draw("x", "1")
    assert rules.draw("ab", "c") != rules.draw("a", "bc")


@pytest.mark.parametrize(
    "wrong",
    [
        {"second_rate": 1.5},
        {"golden_rate": -0.1},
        {"lease": timedelta(0)},
        {"hold_max": timedelta(minutes=1)},
        {"adjudication": Desk.APPEALS},
        {"leases_max": 0},
        {"appeal_months": 5},
    ],
)
def test_rules_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ReviewRules(salt="a", **wrong)
