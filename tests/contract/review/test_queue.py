"""Order, leases and clocks."""

from datetime import timedelta
from itertools import pairwise

import pytest

from moderation.review.arrivals import Revaluation, rerank, revalue
from moderation.review.decisions import decide
from moderation.review.errors import AlreadyDecided, LeaseExpired, NotAllowed, NotFound
from moderation.review.leases import escalate, expire, release, renew, skip
from moderation.review.types import Desk, ReviewTask
from tests.contract.review.conftest import FAKE, T0, Bench, new_task


def test_lane_then_priority_then_age(bench: Bench) -> None:
    earlier = T0 - timedelta(hours=1)
    bench.add(
        new_task("old", priority=2.0, created_at=earlier),
        new_task("low", priority=1.0),
        new_task("new", priority=2.0),
        new_task("legal", lane=0, priority=0.1),
        new_task("high", priority=9.0),
    )
    order = []
    while claimed := bench.claim("ann"):
        order.append(claimed.task.item_id)
        bench.do(decide, claimed.lease.token, FAKE)
    assert order == ["legal", "high", "old", "new", "low"]


def test_an_item_has_one_task_a_policy_version(bench: Bench) -> None:
    first = bench.add(new_task("a"), new_task("a"), new_task("b"))
    assert first[0] == first[1] != first[2]
    bench.work("ann", FAKE)
    assert bench.add(new_task("a", priority=5.0), new_task("b")) == first[1:]
    assert bench.add(new_task("a", policy_version="2")) != first[:1]


def test_what_is_given_back_keeps_its_place(bench: Bench) -> None:
    bench.add(new_task("a", priority=2.0), new_task("b"))
    claimed = bench.claim("ann")
    bench.do(release, claimed.lease.token)
    with pytest.raises(LeaseExpired, match="released"):
        bench.do(decide, claimed.lease.token, FAKE)
    assert bench.claim("ben").task == claimed.task


def test_what_is_skipped_goes_to_others_and_comes_back_later(bench: Bench) -> None:
    bench.add(new_task("a", priority=2.0), new_task("b"))
    bench.do(skip, bench.claim("ann").lease.token)
    assert bench.claim("ann").task.item_id == "b"
    back = bench.claim("ben")
    assert back.task.item_id == "a"
    bench.do(release, back.lease.token)
    assert bench.claim("ann") is None
    bench.wait(minutes=15)
    assert bench.claim("ann").task.item_id == "a"


def test_an_escalated_task_waits_for_a_lead_with_its_note(bench: Bench) -> None:
    bench.add(new_task("a"))
    bench.do(escalate, bench.claim("ann").lease.token, "who is this?")
    assert bench.claim("ben") is None
    with pytest.raises(NotAllowed, match="'ben' is a reviewer"):
        bench.claim("ben", Desk.LEAD)
    assert bench.claim("lea", Desk.LEAD).task.handover_note == "who is this?"


def test_a_lease_that_runs_out_frees_the_task_for_whoever_claims(bench: Bench) -> None:
    bench.add(new_task("a"))
    first = bench.claim("ann")
    bench.wait(minutes=9, seconds=59)
    assert bench.claim("ben") is None
    bench.wait(seconds=1)
    second = bench.claim("ben")
    assert second.task == first.task
    with pytest.raises(LeaseExpired):
        bench.do(decide, first.lease.token, FAKE)
    bench.do(decide, second.lease.token, FAKE)


def test_a_late_decision_stands_while_nobody_has_taken_over(bench: Bench) -> None:
    bench.add(new_task("a"))
    claimed = bench.claim("ann")
    bench.wait(hours=5)
    bench.do(decide, claimed.lease.token, FAKE)
    with pytest.raises(AlreadyDecided):
        bench.do(decide, claimed.lease.token, FAKE)
    assert bench.do(expire) == 0
    assert bench.claim("ben") is None


def test_a_lease_can_be_renewed_but_not_for_ever(bench: Bench) -> None:
    bench.add(new_task("a"))
    lease = bench.claim("ann").lease
    for _ in range(30):
        bench.wait(minutes=5)
        lease = bench.do(renew, lease.token)
    assert lease.expires_at == lease.granted_at + bench.review.rules.hold_max
    assert bench.do(expire) == 1
    with pytest.raises(LeaseExpired):
        bench.do(renew, lease.token)


@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(hours=-2), timedelta(days=400)])
def test_after_a_clock_step_the_task_comes_back_and_is_decided_once(
    bench: Bench, step: timedelta
) -> None:
    bench.add(new_task("a"))
    first = bench.claim("ann")
    bench.now += step
    second = bench.claim("ben")
    assert second.task == first.task
    with pytest.raises(LeaseExpired):
        bench.do(decide, first.lease.token, FAKE)
    bench.do(decide, second.lease.token, FAKE)


def test_a_small_step_back_holds_a_task_no_longer_than_the_step(bench: Bench) -> None:
    bench.add(new_task("a"))
    bench.claim("ann")
    bench.wait(seconds=-30)
    assert bench.claim("ben") is None
    bench.wait(minutes=10, seconds=30)
    assert bench.claim("ben").task.item_id == "a"


def test_a_skipped_task_is_not_lost_to_a_step_back(bench: Bench) -> None:
    bench.add(new_task("a"))
    bench.do(skip, bench.claim("ann").lease.token)
    bench.wait(days=-3)
    assert bench.claim("ann").task.item_id == "a"


def test_one_reviewer_holds_few_tasks(bench: Bench) -> None:
    bench.add(*(new_task(f"{n}") for n in range(9)))
    for _ in range(bench.review.rules.leases_max):
        bench.claim("ann")
    with pytest.raises(NotAllowed, match="5 tasks in hand"):
        bench.claim("ann")


def test_unknown_people_and_tokens(bench: Bench) -> None:
    with pytest.raises(NotFound, match="'eve'"):
        bench.claim("eve")
    with pytest.raises(NotFound, match="token"):
        bench.do(decide, "guess", FAKE)


SLA = timedelta(hours=24)


def aged(base: float, task: ReviewTask, now: object) -> float:
    """The documented ageing: base (1 + (age / SLA)³)."""
    return base * (1 + ((now - task.created_at) / SLA) ** 3)


def value(task: ReviewTask, now: object) -> Revaluation:
    """The priority now, and when it will be 5 % higher."""
    base = task.factors["base"]
    fresh = aged(base, task, now)
    later = task.created_at + SLA * (1.05 * fresh / base - 1) ** (1 / 3)
    return Revaluation(fresh, task.factors, later)


def test_with_reranking_the_order_is_right_to_within_five_per_cent(bench: Bench) -> None:
    steep = [new_task(f"{n}", factors={"base": 2.0 - n / 20}, rerank_at=T0) for n in range(40)]
    spread = [bench.review.rules.draw(task.item_id) * timedelta(hours=48) for task in steep]
    bench.now = T0 + timedelta(hours=48)
    bench.add(
        *(
            new_task(task.item_id, factors=task.factors, rerank_at=T0, created_at=T0 + back)
            for task, back in zip(steep, spread, strict=True)
        )
    )
    left: dict[str, ReviewTask] = {}
    worst = 1.0
    for _ in range(40):
        bench.wait(minutes=45)
        while bench.do(rerank, value, limit=7) == 7:
            pass
        claimed = bench.claim("ann")
        bench.do(release, claimed.lease.token)
        if not left:
            left = dict(_all_tasks(bench))
        true = {name: aged(t.factors["base"], t, bench.now) for name, t in left.items()}
        worst = max(worst, max(true.values()) / true[claimed.task.item_id])
        taken = bench.claim("ben")
        assert taken.task.id == claimed.task.id
        bench.do(decide, taken.lease.token, FAKE)
        del left[claimed.task.item_id]
        bench.wait(minutes=11)
    assert left == {}
    assert worst <= 1.05


def _all_tasks(bench: Bench) -> list[tuple[str, ReviewTask]]:
    from sqlalchemy import select

    from moderation.database import reading
    from moderation.review import rows
    from moderation.review.tables import tasks

    with reading(bench.review.engine) as connection:
        found = [rows.review_task(row) for row in connection.execute(select(tasks))]
    return [(task.item_id, task) for task in found]


def test_a_value_that_is_due_at_once_is_refused(bench: Bench) -> None:
    bench.add(new_task("a", rerank_at=T0))
    with pytest.raises(ValueError, match="due again"):
        bench.do(rerank, lambda task, now: Revaluation(1.0, {}, now))


def test_more_views_raise_a_task_at_once(bench: Bench) -> None:
    bench.add(new_task("a"), new_task("b", priority=2.0))
    assert bench.do(revalue, "a", Revaluation(3.0, {"views": 9}, None)) == 1
    first, second = bench.claim("ann"), bench.claim("ann")
    assert (first.task.item_id, first.task.factors) == ("a", {"views": 9})
    for better, worse in pairwise([first, second]):
        assert better.task.priority > worse.task.priority


def test_reserved_turns_go_to_the_oldest_sampled_task_outside_legal_lanes(bench: Bench) -> None:
    bench = bench.with_rules(reserved_share=1.0)
    bench.add(
        new_task("worth most", priority=9.0),
        new_task("sampled", priority=0.1, is_sampled=True),
        new_task("oldest", lane=6, is_sampled=True, created_at=T0 - timedelta(hours=1)),
        new_task("legal", lane=0),
    )
    given = [bench.claim("ann").task.item_id for _ in range(4)]
    assert given == ["legal", "oldest", "sampled", "worth most"]


def test_without_reserved_turns_a_sampled_task_waits_like_any_other(bench: Bench) -> None:
    bench = bench.with_rules(reserved_share=0.0)
    bench.add(new_task("worth most", priority=9.0), new_task("sampled", is_sampled=True))
    assert bench.claim("ann").task.item_id == "worth most"
