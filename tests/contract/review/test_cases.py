"""Decisions, second opinions, groups, undoing and appeals."""

from datetime import UTC, datetime, timedelta

import pytest

from moderation.database import reading
from moderation.review.appeals import (
    appeal_of_task,
    file_appeal,
    file_appeal_against_machine,
    months_later,
)
from moderation.review.cases import ruling_in_force
from moderation.review.decisions import decide, decide_group, standing_decisions, undo
from moderation.review.errors import LeaseExpired, NotAllowed, NotFound
from moderation.review.holding import find_task
from moderation.review.leases import release
from moderation.review.types import AppealState, Desk
from tests.contract.review.conftest import FAKE, GENUINE, LABELLED, Bench, new_task


def ruled_by(bench: Bench, case_id: str) -> str | None:
    ruling = bench.do(ruling_in_force, case_id)
    return None if ruling is None else ruling.decision_id


def test_one_decision_rules_and_is_recorded_in_the_same_transaction(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    taken = bench.work("ann", FAKE)
    assert ruled_by(bench, case_id) == taken.id
    assert [event.name for event in bench.events] == ["decided", "ruled"]
    assert bench.events[0].actor_id == "ann"
    assert bench.events[1].facts["verdict"] == "manipulated"


def test_a_record_that_cannot_be_written_undoes_the_decision(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    claimed = bench.claim("ann")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    object.__setattr__(bench.review, "record", fail)
    with pytest.raises(OSError, match="disk full"):
        bench.do(decide, claimed.lease.token, FAKE)
    assert bench.do(standing_decisions, case_id) == []
    assert ruled_by(bench, case_id) is None


def test_a_second_reviewer_sees_the_task_as_the_first_did(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    (case_id,) = bench.add(new_task("a", factors={"views": 3}))
    first = bench.claim("ann")
    bench.do(decide, first.lease.token, FAKE)
    assert ruled_by(bench, case_id) is None
    assert bench.claim("ann") is None
    second = bench.claim("ben")
    for name in set(type(first.task).__slots__) - {"id"}:
        assert getattr(second.task, name) == getattr(first.task, name)
    bench.do(decide, second.lease.token, FAKE)
    assert ruled_by(bench, case_id) is not None
    assert bench.claim("cem") is None


def test_a_disagreement_goes_to_the_lead(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    (case_id,) = bench.add(new_task("a"))
    bench.work("ann", FAKE)
    bench.work("ben", GENUINE)
    assert ruled_by(bench, case_id) is None
    assert bench.claim("cem") is None
    last = bench.work("lea", GENUINE, Desk.LEAD)
    assert ruled_by(bench, case_id) == last.id


def test_or_to_a_third_and_then_to_the_lead(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0, adjudication=Desk.GENERAL)
    cases = bench.add(new_task("a"), new_task("b", priority=0.5))
    bench.work("ann", FAKE)
    bench.work("ben", GENUINE)
    assert ruled_by(bench, cases[0]) is None
    last = bench.work("cem", FAKE)
    assert ruled_by(bench, cases[0]) == last.id
    bench.work("ann", FAKE)
    bench.work("ben", GENUINE)
    bench.work("cem", LABELLED)
    assert ruled_by(bench, cases[1]) is None
    last = bench.work("lea", LABELLED, Desk.LEAD)
    assert ruled_by(bench, cases[1]) == last.id


def test_a_reviewer_can_ask_for_a_second_opinion(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    bench.do(decide, bench.claim("ann").lease.token, FAKE, wants_second=True)
    assert ruled_by(bench, case_id) is None
    bench.work("ben", FAKE)
    assert ruled_by(bench, case_id) is not None


def test_the_share_of_second_reviews_is_the_rate(bench: Bench) -> None:
    rules = bench.with_rules(second_rate=0.3).review.rules
    sampled = sum(rules.draw("second", f"{n}") < rules.second_rate for n in range(20_000))
    # Ten standard deviations of a binomial with these numbers are 648.
    assert abs(sampled - 6_000) < 648


def test_a_decision_can_be_taken_back_for_a_while(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    first = bench.work("ann", FAKE)
    bench.wait(minutes=4)
    with pytest.raises(NotAllowed, match="somebody else's"):
        bench.do(undo, first.id, "ben")
    again = bench.do(undo, first.id, "ann")
    assert ruled_by(bench, case_id) is None
    with pytest.raises(NotAllowed, match="taken back already"):
        bench.do(undo, first.id, "ann")
    second = bench.do(decide, again.lease.token, GENUINE)
    assert ruled_by(bench, case_id) == second.id
    assert bench.do(standing_decisions, case_id) == [second]
    bench.wait(minutes=6)
    with pytest.raises(NotAllowed, match="old"):
        bench.do(undo, second.id, "ann")
    with pytest.raises(NotFound):
        bench.do(undo, "none", "ann")


def test_a_reopened_task_never_goes_to_the_second_reviewer(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    (case_id,) = bench.add(new_task("a"))
    first = bench.work("ann", FAKE)
    second = bench.claim("ben")
    again = bench.do(undo, first.id, "ann")
    bench.do(release, again.lease.token)
    assert bench.claim("ben") is None
    bench.do(decide, second.lease.token, GENUINE)
    assert bench.claim("ben") is None
    bench.work("cem", GENUINE)
    assert ruled_by(bench, case_id) is not None


def test_taking_back_withdraws_the_adjudication_unless_it_has_begun(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    bench.add(new_task("a"))
    bench.work("ann", FAKE)
    second = bench.work("ben", GENUINE)
    again = bench.do(undo, second.id, "ben")
    assert bench.claim("lea", Desk.LEAD) is None
    second = bench.do(decide, again.lease.token, LABELLED)
    bench.claim("lea", Desk.LEAD)
    with pytest.raises(NotAllowed, match="built on"):
        bench.do(undo, second.id, "ben")


def test_a_group_is_decided_at_once_and_each_task_by_itself(bench: Bench) -> None:
    copies = [new_task(f"copy {n}", group_id="g") for n in range(4)]
    cases = bench.add(*copies, new_task("other", priority=0.1))
    held = bench.claim("ben")
    taken = bench.do(decide_group, bench.claim("ann").lease.token, FAKE)
    assert {each.case_id for each in taken} == set(cases[:4]) - {held.task.id}
    assert len({each.bulk_id for each in taken}) == 1
    assert all(ruled_by(bench, each.case_id) == each.id for each in taken)
    assert len([event for event in bench.events if event.name == "decided"]) == 3
    bench.do(decide, held.lease.token, GENUINE)
    last = bench.claim("ann")
    assert last.task.item_id == "other"
    with pytest.raises(NotAllowed, match="no group"):
        bench.do(decide_group, last.lease.token, FAKE)


def test_an_appeal_goes_to_another_person_and_can_overturn(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    first = bench.work("ann", FAKE)
    bench.wait(days=30)
    filed = bench.do(file_appeal, case_id, "it is satire")
    with pytest.raises(NotAllowed, match="appeal in case"):
        bench.do(file_appeal, case_id, "again")
    with pytest.raises(NotAllowed, match="is a program"):
        bench.claim("bot", Desk.APPEALS)
    assert bench.claim("ann", Desk.APPEALS) is None
    assert bench.claim("ben") is None
    claimed = bench.claim("ben", Desk.APPEALS)
    assert claimed.task.due_at == filed.filed_at + timedelta(days=7)
    with reading(bench.review.engine) as connection:
        assert appeal_of_task(connection, claimed.task.id) == filed
    last = bench.do(decide, claimed.lease.token, LABELLED)
    with reading(bench.review.engine) as connection:
        closed = appeal_of_task(connection, claimed.task.id)
    assert (closed.state, closed.decision_id) == (AppealState.OVERTURNED, last.id)
    assert ruled_by(bench, case_id) == last.id != first.id
    with pytest.raises(NotAllowed, match="on an appeal"):
        bench.do(undo, last.id, "ben")


def test_an_appeal_that_is_upheld_leaves_the_ruling_and_is_heard_once(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    first = bench.work("ann", FAKE)
    bench.do(file_appeal, case_id, "no")
    with pytest.raises(NotAllowed, match="under appeal"):
        bench.do(undo, first.id, "ann")
    bench.work("ben", FAKE, Desk.APPEALS)
    assert ruled_by(bench, case_id) == first.id
    assert bench.events[-1].facts["state"] == "upheld"
    with pytest.raises(NotAllowed, match="upheld"):
        bench.do(file_appeal, case_id, "no, really")


def test_an_appeal_has_six_months_and_needs_a_ruling(bench: Bench) -> None:
    (case_id,) = bench.add(new_task("a"))
    with pytest.raises(NotAllowed, match="not ruled"):
        bench.do(file_appeal, case_id, "early")
    with pytest.raises(NotFound):
        bench.do(file_appeal, "none", "lost")
    bench.work("ann", FAKE)
    ruled_at = bench.now
    bench.now = datetime(2026, 11, 4, 9, 0, 1, tzinfo=UTC)
    with pytest.raises(NotAllowed, match="2026-11-04T09:00:00"):
        bench.do(file_appeal, case_id, "late")
    bench.now = months_later(ruled_at, 6)
    bench.do(file_appeal, case_id, "just in time")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-29", 6, "2028-02-29"),
        ("2026-12-01", 1, "2027-01-01"),
    ],
)
def test_months_are_those_of_the_calendar(start: str, months: int, end: str) -> None:
    assert months_later(datetime.fromisoformat(start), months) == datetime.fromisoformat(end)


def test_what_the_machine_did_alone_can_be_appealed(bench: Bench) -> None:
    item = new_task("a")
    acted_at = bench.now - timedelta(days=1)
    filed = bench.do(file_appeal_against_machine, item, "mine", acted_at=acted_at)
    assert filed.ruling_id is None
    with reading(bench.review.engine) as connection:
        assert find_task(connection, filed.task_id).task.due_at == bench.now + timedelta(days=7)
    with pytest.raises(NotAllowed):
        bench.do(file_appeal_against_machine, item, "mine", acted_at=acted_at)
    assert bench.add(item) == [filed.case_id]
    bench.work("ann", GENUINE, Desk.APPEALS)
    assert bench.events[-1].facts["state"] == "overturned"
    assert ruled_by(bench, filed.case_id) is not None
    with pytest.raises(NotAllowed, match="closed at"):
        bench.do(
            file_appeal_against_machine, new_task("b"), "old", acted_at=months_later(acted_at, -7)
        )


def test_a_lease_that_lapsed_into_other_hands_cannot_decide_the_group(bench: Bench) -> None:
    bench.add(new_task("a", group_id="g"), new_task("b", group_id="g"))
    claimed = bench.claim("ann")
    bench.wait(minutes=11)
    bench.claim("ben")
    with pytest.raises(LeaseExpired):
        bench.do(decide_group, claimed.lease.token, FAKE)
