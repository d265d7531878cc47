"""What is read out: labels, checks of reviewers, agreement, listings, service level."""

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from encoders.types import Modality
from moderation.database import reading
from moderation.review.appeals import file_appeal
from moderation.review.decisions import decide, decide_group, undo
from moderation.review.golden import GoldenItem, add_golden
from moderation.review.labels import labels
from moderation.review.listings import Moment, appealed, decided, place, waiting
from moderation.review.quality import (
    agreement_by_clause,
    agreement_by_reviewer,
    blind_ratings,
    checks,
    reviewer_errors,
    team_error,
)
from moderation.review.service_level import service_level
from moderation.review.types import Action, Desk, Finding, TaskKind, Verdict
from tests.contract.review.conftest import FAKE, GENUINE, LABELLED, T0, Bench, new_task

UNSURE = Finding(Verdict.UNDETERMINED, Action.LEAVE, reason_code="unclear")


def read(bench: Bench, query: object, *values: object, **options: object) -> object:
    with reading(bench.review.engine) as connection:
        return query(connection, *values, **options)


def labelled(bench: Bench) -> dict[str, object]:
    with reading(bench.review.engine) as connection:
        found = list(labels(connection, bench.review.rules, since=T0, now=bench.now))
    assert [each.decided_at for each in found] == sorted(each.decided_at for each in found)
    return {each.item_id: each for each in found}


def test_rulings_become_labels_once_they_cannot_be_taken_back(bench: Bench) -> None:
    bench.add(new_task("a", propensity=0.25), new_task("b", priority=0.5))
    bench.work("ann", FAKE)
    undone = bench.work("ann", FAKE)
    bench.do(undo, undone.id, "ann")
    assert labelled(bench) == {}
    bench.wait(minutes=5)
    (label,) = labelled(bench).values()
    assert (label.item_id, label.is_manipulated, label.propensity) == ("a", True, 0.25)
    assert (label.reviewers, label.agreement, label.decided_at) == (1, 1.0, T0)


def test_a_label_says_how_many_agreed(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    bench.add(new_task("a"))
    bench.work("ann", FAKE)
    bench.work("ben", GENUINE)
    bench.work("lea", GENUINE, Desk.LEAD)
    bench.wait(minutes=5)
    label = labelled(bench)["a"]
    assert (label.is_manipulated, label.reviewers) == (False, 3)
    assert label.agreement == pytest.approx(2 / 3)


def test_what_is_unclear_or_under_appeal_is_no_label(bench: Bench) -> None:
    cases = bench.add(new_task("a"), new_task("b", priority=0.5))
    bench.work("ann", FAKE)
    bench.work("ann", UNSURE)
    bench.wait(minutes=5)
    assert set(labelled(bench)) == {"a"}
    bench.do(file_appeal, cases[0], "no")
    assert labelled(bench) == {}
    bench.work("ben", GENUINE, Desk.APPEALS)
    bench.wait(minutes=5)
    assert labelled(bench)["a"].is_manipulated is False


def test_reviewers_are_checked_by_golden_items_colleagues_and_appeals(bench: Bench) -> None:
    second = bench.with_rules(second_rate=1.0)
    second.add(new_task("agreed"))
    bench_golden = bench.with_rules(golden_rate=1.0)
    second.work("ann", FAKE)
    second.work("ben", FAKE)
    second.add(new_task("split"))
    second.work("ann", FAKE)
    second.work("ben", GENUINE)
    second.work("lea", GENUINE, Desk.LEAD)
    (appealed_case,) = bench.add(new_task("appealed"))
    bench.work("cem", FAKE)
    bench.do(file_appeal, appealed_case, "no")
    bench.work("ben", GENUINE, Desk.APPEALS)
    bench.add(new_task("alone"))
    bench.do(
        add_golden,
        GoldenItem("gold", "f" * 64, "c", "1", Modality.VIDEO, Verdict.AUTHENTIC, "lea"),
    )
    bench_golden.work("ann", FAKE)
    with reading(bench.review.engine) as connection:
        found = list(checks(connection, since=T0))
        errors = reviewer_errors(connection, since=T0)
    assert Counter((each.reviewer_id, each.is_error) for each in found) == {
        ("ann", False): 1,
        ("ann", True): 2,
        ("ben", False): 2,
        ("lea", False): 1,
        ("cem", True): 1,
    }
    assert (errors["ann"].errors, errors["ann"].checks) == (2, 3)
    assert errors["ann"].mean == pytest.approx((1 + 2) / (10 + 3))


def test_agreement_is_of_blind_reviews_alone(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0, leases_max=50)
    for n, (first, second) in enumerate([(FAKE, FAKE), (GENUINE, GENUINE), (FAKE, GENUINE)] * 2):
        bench.add(new_task(f"{n}", clause_id=f"clause {n % 2}"))
        bench.work("ann", first)
        bench.work("ben", second)
        if first is not second:
            bench.work("lea", LABELLED, Desk.LEAD)
    ratings = read(bench, blind_ratings, since=T0, until=T0 + timedelta(days=1))
    assert ratings.reviewers == ("ann", "ben")
    assert ratings.rating_UR.shape == (6, 2)
    kappa = agreement_by_reviewer(ratings, seed=0)
    # p_o = 4/6, p_e = 4/6 · 2/6 + 2/6 · 4/6 = 4/9.
    assert kappa["ann"].value == pytest.approx((4 / 6 - 4 / 9) / (5 / 9))
    assert kappa["ann"].value == kappa["ben"].value
    alpha = agreement_by_clause(ratings, seed=0)
    # Three units, one split, 3 of each verdict: 1 - (6 - 1)(2) / (36 - 9 - 9).
    assert alpha["clause 0"].value == pytest.approx(1 - 5 * 2 / 18)
    assert alpha["clause 0"].units == 3
    assert not math.isnan(alpha["clause 1"].lower)


def test_the_queue_is_listed_in_order_page_by_page(bench: Bench) -> None:
    tasks = [
        new_task(f"{n}", lane=n % 2, priority=n % 3, created_at=T0 - timedelta(hours=n % 2))
        for n in range(25)
    ]
    bench.add(*tasks)
    whole = read(bench, waiting, Desk.GENERAL, limit=100)
    pages, after = [], None
    while page := read(bench, waiting, Desk.GENERAL, after=after, limit=4):
        pages += page
        after = place(page[-1])
    assert pages == whole
    assert len(whole) == 25
    assert {record.kind for record in whole} == {TaskKind.FIRST}
    order = []
    bench = bench.with_rules(leases_max=50)
    while claimed := bench.claim("ann"):
        order.append(claimed.task)
    assert order == [record.task for record in whole]


def test_decisions_and_appeals_are_listed_page_by_page(bench: Bench) -> None:
    cases = bench.add(*(new_task(f"{n}") for n in range(7)))
    taken = [bench.work(("ann", "ben")[n % 2], FAKE) for n in range(7)]
    filed = [bench.do(file_appeal, case_id, "no") for case_id in cases]
    pages, after = [], None
    while page := read(bench, decided, after=after, limit=2):
        pages += page
        after = Moment(page[-1].decided_at, page[-1].id)
    assert sorted(pages, key=lambda d: d.id) == sorted(taken, key=lambda d: d.id)
    assert len(read(bench, decided, reviewer_id="ann")) == 4
    pages, after = [], None
    while page := read(bench, appealed, after=after, limit=3):
        pages += page
        after = Moment(page[-1].filed_at, page[-1].id)
    assert sorted(pages, key=lambda a: a.id) == sorted(filed, key=lambda a: a.id)


def test_the_service_level(bench: Bench) -> None:
    bench = bench.with_rules(lease=timedelta(hours=2))
    due = T0 + timedelta(hours=1)
    bench.add(
        *(new_task(f"w{n}", due_at=due, created_at=T0 - timedelta(minutes=n)) for n in range(10)),
        new_task("late", lane=0, due_at=due, clause_id="other"),
        new_task("in time", lane=1, due_at=due),
        *(new_task(f"copy {n}", lane=2, group_id="g") for n in range(2)),
    )
    empty = read(bench, service_level, now=T0, since=T0, capacity_minutes=0.0)
    assert empty.hours_of_work == math.inf
    held = bench.claim("ann")
    bench.wait(minutes=30)
    bench.work("ben", FAKE)
    bench.do(decide_group, bench.claim("cem").lease.token, FAKE)
    bench.wait(minutes=60)
    bench.do(decide, held.lease.token, FAKE)
    found = read(bench, service_level, now=bench.now, since=T0, capacity_minutes=40.0)
    assert (found.waiting, found.backlog_minutes, found.hours_of_work) == (10, 20.0, 0.5)
    assert found.age_seconds == {50: 94 * 60, 90: 98 * 60, 99: 99 * 60, 100: 99 * 60}
    lanes = {lane.lane: lane for lane in found.lanes}
    assert (lanes[0].closed, lanes[0].closed_late, lanes[0].clause_id) == (1, 1, "other")
    assert (lanes[1].closed, lanes[1].closed_late) == (1, 0)
    assert (lanes[5].waiting, lanes[5].overdue) == (10, 10)
    people = {each.reviewer_id: each for each in found.reviewers}
    assert (people["ann"].decisions, people["ann"].minutes) == (1, 90.0)
    assert (people["cem"].decisions, people["cem"].in_bulk) == (2, 2)


def test_tasks_check_themselves() -> None:
    for wrong in (
        {"propensity": 0.0},
        {"priority": math.nan},
        {"handling_minutes": 0.0},
        {"sha256": "A" * 64},
        {"created_at": T0.replace(tzinfo=None)},
    ):
        with pytest.raises(ValueError, match=r"."):
            replace(new_task("a"), **wrong)


def test_the_teams_error_counts_what_nobody_chose_to_check(bench: Bench) -> None:
    drawn = bench.with_rules(second_rate=1.0)
    assert read(drawn, team_error, drawn.review.rules, since=T0).mean == pytest.approx(0.1)
    drawn.add(new_task("agreed"))
    drawn.work("ann", FAKE)
    drawn.work("ben", FAKE)
    drawn.add(new_task("split"))
    drawn.work("ann", FAKE)
    drawn.work("ben", GENUINE)
    drawn.work("lea", GENUINE, Desk.LEAD)
    gold = GoldenItem("gold", "f" * 64, "c", "1", Modality.VIDEO, Verdict.AUTHENTIC, "lea")
    bench.do(add_golden, gold)
    bench.add(new_task("alone"))
    bench.with_rules(golden_rate=1.0).work("ann", FAKE)
    found = read(drawn, team_error, drawn.review.rules, since=T0)
    # ann and ben on both cases, and ann on the golden item; the lead saw what was in dispute.
    assert (found.errors, found.checks) == (2, 5)
    assert found.mean == pytest.approx((5 + 2) / (50 + 5))
    undrawn = read(bench, team_error, bench.review.rules, since=T0)
    assert (undrawn.errors, undrawn.checks) == (1, 1)
