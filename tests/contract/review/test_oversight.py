"""What leads ask of review: workloads, golden results, the flow of days, who may take an appeal."""

from datetime import UTC, date, datetime, timedelta

import pytest

from encoders.types import Modality
from moderation.database import reading
from moderation.review.appeals import file_appeal
from moderation.review.eligibility import appeal_case
from moderation.review.errors import NotFound, RestDue
from moderation.review.flow import DAYS_MAX, DayFlow, daily_flow
from moderation.review.golden import GoldenItem, add_golden
from moderation.review.golden_results import GoldenResult, golden_results
from moderation.review.leases import renew
from moderation.review.listings import count_appeals
from moderation.review.reviewers import enrol
from moderation.review.types import AppealState, Desk, Reviewer, Verdict, Wellness
from moderation.review.workload import Workload, workloads
from tests.contract.review.conftest import FAKE, GENUINE, T0, Bench, new_task

START = T0 - timedelta(days=1)


def loads(bench: Bench) -> dict[str, Workload]:
    with reading(bench.review.engine) as connection:
        return {one.reviewer.id: one for one in workloads(connection, now=bench.now)}


def test_a_workload_says_when_a_break_is_due_as_claims_do(bench: Bench) -> None:
    bench.do(enrol, Reviewer("ann", wellness=Wellness(work_minutes=20.0, break_minutes=5.0)))
    bench.add(*(new_task(f"item-{k}", is_harmful=k < 2) for k in range(5)))
    before = loads(bench)["ann"]
    assert (before.in_hand, before.last_active_at, before.break_until) == (0, None, None)
    bench.work("ann", FAKE)
    claimed = bench.claim("ann")
    assert claimed is not None
    bench.wait(minutes=9)
    at_it = loads(bench)["ann"]
    assert (at_it.in_hand, at_it.stretch) == (1, timedelta(minutes=9))
    assert at_it.until_break == timedelta(minutes=11)
    bench.do(renew, claimed.lease.token)
    bench.wait(minutes=9)
    bench.do(renew, claimed.lease.token)
    bench.wait(minutes=2)
    due = loads(bench)["ann"]
    assert due.break_until == bench.now + timedelta(minutes=5)
    assert due.until_break == timedelta(0)
    with pytest.raises(RestDue) as refused:
        bench.claim("ann")
    assert refused.value.resumes_at == due.break_until
    assert loads(bench)["ben"].in_hand == 0


def test_harmful_tasks_count_for_a_day(bench: Bench) -> None:
    bench.add(new_task("bad", is_harmful=True), new_task("fine"))
    for _ in range(2):
        bench.work("ann", GENUINE)
    assert loads(bench)["ann"].harmful == 1
    bench.wait(hours=24)
    rested = loads(bench)["ann"]
    assert (rested.harmful, rested.stretch) == (0, timedelta(0))


def test_whoever_is_not_active_comes_last(bench: Bench) -> None:
    bench.do(enrol, Reviewer("aaron", is_active=False))
    assert list(loads(bench)) == ["ann", "ben", "bot", "cem", "lea", "aaron"]


def test_golden_results_go_by_reviewer(bench: Bench) -> None:
    golden = GoldenItem(
        item_id="known",
        sha256="f" * 64,
        clause_id="synthetic-person",
        policy_version="1",
        modality=Modality.VIDEO,
        verdict=Verdict.MANIPULATED,
        added_by="lea",
    )
    bench.do(add_golden, golden)
    bench.add(*(new_task(f"item-{k}") for k in range(4)))
    drawing = bench.with_rules(golden_rate=1.0)
    drawing.work("ann", FAKE)
    drawing.work("ben", GENUINE)
    bench.work("cem", FAKE)
    with reading(bench.review.engine) as connection:
        found = golden_results(connection, since=START)
        nothing = golden_results(connection, since=bench.now + timedelta(minutes=1))
    assert found == {"ann": GoldenResult(1, 1), "ben": GoldenResult(1, 0)}
    assert nothing == {}


def test_a_day_goes_from_midnight_to_midnight_in_utc(bench: Bench) -> None:
    midnight = datetime(2026, 5, 5, tzinfo=UTC)
    last, first = midnight - timedelta(microseconds=1), midnight
    bench.add(
        new_task("old", created_at=midnight - timedelta(days=9)),
        new_task("late", created_at=last, due_at=last + timedelta(hours=1)),
        new_task("early", created_at=first),
        new_task("waits", created_at=first),
    )
    bench.now = midnight + timedelta(hours=2)
    for _ in range(3):
        bench.work("ann", GENUINE)
    with reading(bench.review.engine) as connection:
        found = daily_flow(connection, now=bench.now, days=2)
        with pytest.raises(ValueError, match="93 days"):
            daily_flow(connection, now=bench.now, days=DAYS_MAX + 1)
    assert found == [
        DayFlow(date(2026, 5, 4), 1, 0, 0),
        DayFlow(date(2026, 5, 5), 2, 3, 1),
    ]


def test_an_appeal_names_those_who_have_not_decided(bench: Bench) -> None:
    [case] = bench.add(new_task("item"))
    bench.work("ann", FAKE)
    appeal = bench.do(file_appeal, case, "It is mine.")
    bench.do(enrol, Reviewer("gone", is_active=False))

    def shown():
        with reading(bench.review.engine) as connection:
            return appeal_case(connection, appeal.id), count_appeals(connection)

    case, counts = shown()
    assert list(case.may_take) == ["ben", "cem", "lea"]
    assert [one.reviewer_id for one in case.decided] == ["ann"]
    assert (case.holder, counts[AppealState.OPEN]) == (None, 1)
    assert bench.claim("ann", Desk.APPEALS) is None
    bench.wait(minutes=1)
    bench.work("ben", GENUINE, Desk.APPEALS)
    case, counts = shown()
    assert [one.reviewer_id for one in case.decided] == ["ann", "ben"]
    assert (counts[AppealState.OPEN], counts[AppealState.OVERTURNED]) == (0, 1)
    with reading(bench.review.engine) as connection, pytest.raises(NotFound):
        appeal_case(connection, "none")
