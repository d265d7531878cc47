"""Decisions on tasks that nobody holds, by a lead."""

import pytest

from moderation.review.decisions import decide_waiting
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.leases import release, skip
from tests.contract.review.conftest import FAKE, GENUINE, Bench, new_task

TASKS = (("a", 3.0), ("b", 2.0), ("c", 1.0))


def test_each_is_decided_and_ruled_by_itself_under_one_id(bench: Bench) -> None:
    cases = bench.add(new_task("a"), new_task("b"))
    taken = [bench.do(decide_waiting, one, "lea", FAKE, bulk_id="bulk") for one in cases]
    assert [one.case_id for one in taken] == cases
    assert {one.bulk_id for one in taken} == {"bulk"}
    assert [event.name for event in bench.events] == ["decided", "ruled"] * 2
    assert bench.claim("ann") is None


@pytest.mark.parametrize(
    ("who", "why"), [("ann", "is a reviewer"), ("bot", "is a reviewer"), ("nobody", "no reviewer")]
)
def test_only_a_lead_does(bench: Bench, who: str, why: str) -> None:
    (case,) = bench.add(new_task("a"))
    with pytest.raises((NotAllowed, NotFound), match=why):
        bench.do(decide_waiting, case, who, FAKE, bulk_id="bulk")
    assert bench.claim("ann") is not None


def test_what_is_in_hand_decided_or_skipped_is_left(bench: Bench) -> None:
    held, done, skipped = bench.add(*(new_task(name, priority=p) for name, p in TASKS))
    assert bench.claim("ann").task.id == held
    bench.work("ben", GENUINE)
    claimed = bench.claim("lea")
    assert claimed.task.id == skipped
    bench.do(skip, claimed.lease.token)
    for case, why in (
        (held, "in somebody's hands"),
        (done, "decided already"),
        (skipped, "not for you"),
    ):
        with pytest.raises(NotAllowed, match=why):
            bench.do(decide_waiting, case, "lea", FAKE, bulk_id="bulk")
    with pytest.raises(NotFound):
        bench.do(decide_waiting, "none", "lea", FAKE, bulk_id="bulk")


def test_another_opinion_is_never_given_so(bench: Bench) -> None:
    bench = bench.with_rules(second_rate=1.0)
    bench.add(new_task("a"))
    bench.work("ann", FAKE)
    second = bench.claim("ben")
    bench.do(release, second.lease.token)
    with pytest.raises(NotAllowed, match="another opinion"):
        bench.do(decide_waiting, second.task.id, "lea", FAKE, bulk_id="bulk")
