"""Golden items, rest, and who may do what."""

from dataclasses import replace
from datetime import timedelta

import pytest

from encoders.types import Modality
from moderation.database import reading
from moderation.review.decisions import decide, undo
from moderation.review.errors import NotAllowed, NotFound, RestDue
from moderation.review.golden import (
    GoldenItem,
    active_golden,
    add_golden,
    list_golden,
    retire_golden,
)
from moderation.review.leases import escalate, release, skip
from moderation.review.reviewers import enrol
from moderation.review.types import Reviewer, ReviewTask, Verdict, Wellness
from tests.contract.review.conftest import FAKE, GENUINE, T0, Bench, new_task

GOLD = GoldenItem(
    "gold", "f" * 64, "synthetic-person", "1", Modality.VIDEO, Verdict.MANIPULATED, "lou"
)


def test_a_golden_item_looks_like_the_task_in_whose_place_it_comes(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=1.0)
    bench.do(add_golden, GOLD)
    bench.add(new_task("a", priority=7.0, factors={"views": 3}, due_at=T0 + timedelta(days=1)))
    golden = bench.claim("ann")
    assert golden.task.item_id == "gold"
    real = bench.with_rules(golden_rate=0.0).claim("ben")
    assert real.task.item_id == "a"
    for name in set(ReviewTask.__slots__) - {"id", "item_id", "sha256"}:
        assert getattr(golden.task, name) == getattr(real.task, name)


def test_nobody_gets_the_same_golden_item_twice_and_the_real_task_comes(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=1.0)
    bench.do(add_golden, GOLD)
    bench.add(new_task("a"))
    bench.work("ann", FAKE)
    assert bench.claim("ann") is None
    bench.wait(minutes=16)
    assert bench.work("ann", GENUINE).finding == GENUINE
    bench.add(new_task("b"))
    assert bench.claim("ann").task.item_id == "b"


def test_a_golden_item_is_for_one_person_and_rules_nothing(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=1.0, second_rate=1.0)
    gold_id = bench.do(add_golden, GOLD)
    bench.add(*(new_task(f"{n}") for n in range(5)))
    for leave in (release, skip, lambda tx, token: escalate(tx, token, "?")):
        who = {release: "ann", skip: "ben"}.get(leave, "cem")
        claimed = bench.claim(who)
        assert claimed.task.item_id == "gold"
        bench.do(leave, claimed.lease.token)
    bench.do(retire_golden, gold_id)
    assert bench.claim("lea").task.item_id != "gold"
    bench.do(add_golden, replace(GOLD, item_id="gold 2"))
    claimed = bench.claim("ann")
    assert claimed.task.item_id == "gold 2"
    taken = bench.do(decide, claimed.lease.token, FAKE, wants_second=True)
    bench.do(decide, bench.do(undo, taken.id, "ann").lease.token, GENUINE)
    assert "ruled" not in [event.name for event in bench.events]


def test_whoever_knows_the_answer_is_never_given_the_golden_item(bench: Bench) -> None:
    bench.add(new_task("seen", sha256="f" * 64))
    bench.work("ben", FAKE)
    bench = bench.with_rules(golden_rate=1.0)
    bench.do(add_golden, replace(GOLD, added_by="lea"))
    bench.add(new_task("a"), new_task("b"), new_task("c"))
    given = {who: bench.claim(who).task.item_id for who in ("lea", "ben", "ann")}
    assert {who for who, item in given.items() if item == "gold"} == {"ann"}


def test_golden_items_are_listed_with_what_was_decided_on_them(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=1.0)
    ids = [bench.do(add_golden, replace(GOLD, item_id=f"gold {n}")) for n in range(3)]
    bench.do(retire_golden, ids[1])
    bench.do(retire_golden, ids[2])
    bench.add(*(new_task(f"{n}") for n in range(3)))
    bench.work("ann", FAKE)
    bench.work("ben", GENUINE)
    with reading(bench.review.engine) as connection:
        found = list_golden(connection, after=None, limit=10)
        [first, *rest] = found
        assert list_golden(connection, after=(first.added_at, first.id), limit=10) == rest
        assert active_golden(connection, ["gold 0", "gold 1", "a"]) == {"gold 0"}
    told = {one.id: (one.is_active, one.shown, one.right) for one in found}
    assert told == {ids[0]: (True, 2, 1), ids[1]: (False, 0, 0), ids[2]: (False, 0, 0)}


def test_an_item_is_golden_once(bench: Bench) -> None:
    golden_id = bench.do(add_golden, GOLD)
    with pytest.raises(NotAllowed, match="golden one already"):
        bench.do(add_golden, GOLD)
    bench.do(retire_golden, golden_id)
    bench.do(add_golden, GOLD)
    with pytest.raises(NotFound, match="no golden item"):
        bench.do(retire_golden, "0" * 32)


def test_a_legal_lane_never_waits_for_a_golden_item(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=1.0)
    bench.do(add_golden, GOLD)
    bench.add(new_task("a", lane=0))
    assert bench.claim("ann").task.item_id == "a"


def test_the_rate_of_golden_items_is_kept(bench: Bench) -> None:
    bench = bench.with_rules(golden_rate=0.25, leases_max=1000)
    for n in range(60):
        bench.do(add_golden, replace(GOLD, item_id=f"gold {n}"))
    bench.add(*(new_task(f"{n}") for n in range(100)))
    given = [bench.claim("ann").task.item_id for _ in range(100)]
    # Draws are fixed by the salt but task ids are random: six standard deviations are 26.
    assert 0 < sum(name.startswith("gold") for name in given) < 51


def test_a_break_is_due_after_work_without_one(bench: Bench) -> None:
    bench.do(enrol, Reviewer("ann", wellness=Wellness(work_minutes=30, break_minutes=10)))
    bench.add(*(new_task(f"{n}") for n in range(20)))
    for _ in range(4):
        claimed = bench.claim("ann")
        bench.wait(minutes=8)
        bench.do(decide, claimed.lease.token, FAKE)
    with pytest.raises(RestDue) as caught:
        bench.claim("ann")
    assert caught.value.resumes_at == bench.now + timedelta(minutes=10)
    assert bench.claim("ben") is not None
    bench.wait(minutes=10)
    assert bench.claim("ann") is not None


def test_a_pause_of_ones_own_counts(bench: Bench) -> None:
    bench.do(enrol, Reviewer("ann", wellness=Wellness(work_minutes=30, break_minutes=10)))
    bench.add(*(new_task(f"{n}") for n in range(20)))
    for length in (20, 8, 20, 8):
        claimed = bench.claim("ann")
        bench.wait(minutes=length)
        bench.do(decide, claimed.lease.token, FAKE)
        if length == 8:
            bench.wait(minutes=11)
    assert bench.claim("ann") is not None


def test_harmful_media_is_capped_in_any_24_hours(bench: Bench) -> None:
    bench.do(enrol, Reviewer("ann", wellness=Wellness(harmful_daily_max=2)))
    bench.add(*(new_task(f"{n}", is_harmful=n != 1) for n in range(6)))
    seen = []
    while len(seen) < 2 or not all(seen[-2:]):
        claimed = bench.claim("ann")
        seen.append(claimed.task.is_harmful)
        bench.do(decide, claimed.lease.token, FAKE)
        bench.wait(minutes=1)
        if sum(seen) == 2:
            break
    first_harmful = T0 + timedelta(minutes=seen.index(True))
    with pytest.raises(RestDue, match="2 harmful") as caught:
        bench.claim("ann")
    assert caught.value.resumes_at == first_harmful + timedelta(hours=24)
    bench.now = caught.value.resumes_at
    assert bench.claim("ann") is not None
    bench.do(enrol, Reviewer("ben", wellness=Wellness(harmful_daily_max=0)))
    with pytest.raises(RestDue):
        bench.claim("ben")


def test_media_is_softened_unless_the_reviewer_says_otherwise(bench: Bench) -> None:
    wellness = Wellness()
    assert (wellness.has_blur, wellness.has_greyscale, wellness.has_mute) == (True, True, True)
    bench.do(enrol, Reviewer("ann", is_active=False))
    with pytest.raises(NotAllowed, match="not active"):
        bench.claim("ann")
