"""The queue against a model in memory, through arbitrary histories."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, delete, func, select

from moderation.database import metadata, reading, writing
from moderation.review.arrivals import Revaluation, enqueue, revalue
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.errors import AlreadyDecided, LeaseExpired
from moderation.review.leases import expire, release, renew
from moderation.review.reviewers import enrol
from moderation.review.rules import ReviewRules
from moderation.review.tables import decisions, leases, tasks
from moderation.review.transaction import Review
from moderation.review.types import Reviewer, TaskState, Wellness
from tests.contract.review.conftest import FAKE, T0, new_task

RULES = ReviewRules(second_rate=0.0, golden_rate=0.0, leases_max=100, salt="model")
PEOPLE = ("ann", "ben", "cem")
items = st.integers(0, 12).map(str)


@dataclass
class Model:
    """What the queue should hold: places of what waits, leases by token, what is decided."""

    waiting: dict[str, tuple[int, float, object, str]] = field(default_factory=dict)
    places: dict[str, tuple[int, float, object, str]] = field(default_factory=dict)
    leased: dict[str, tuple[str, object, object]] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def lapse(self, now: object) -> None:
        """What any claim does first."""
        for token, (task_id, _, expires_at) in list(self.leased.items()):
            if expires_at <= now or expires_at > now + RULES.lease + timedelta(minutes=1):
                del self.leased[token]
                self.waiting[task_id] = self.places[task_id]


def queue_against_model(engine: Engine) -> type[RuleBasedStateMachine]:
    class Queue(RuleBasedStateMachine):
        tokens = Bundle("tokens")

        def __init__(self) -> None:
            super().__init__()
            self.review = Review(engine, RULES)
            self.model, self.now, self.ids = Model(), T0, {}
            with writing(engine) as connection:
                for table in reversed(metadata.sorted_tables):
                    if table.name.startswith("review_"):
                        connection.execute(delete(table))
            with self.review.at(T0) as tx:
                for person in PEOPLE:
                    enrol(tx, Reviewer(person, wellness=Wellness(work_minutes=1e9)))

        @rule(item=items, lane=st.integers(0, 1), priority=st.integers(0, 3))
        def arrives(self, item: str, lane: int, priority: int) -> None:
            new = new_task(item, lane=lane, priority=float(priority), created_at=self.now)
            with self.review.at(self.now) as tx:
                (answer,) = enqueue(tx, [new])
            assert answer.is_new == (item not in self.ids)
            if answer.is_new:
                self.ids[item] = answer.task_id
                spot = (lane, -float(priority), self.now, answer.task_id)
                self.model.places[answer.task_id] = self.model.waiting[answer.task_id] = spot
            assert self.ids[item] == answer.task_id

        @rule(target=tokens, who=st.sampled_from(PEOPLE))
        def is_claimed(self, who: str) -> str:
            with self.review.at(self.now) as tx:
                claimed = claim(tx, who)
            self.model.lapse(self.now)
            best = min(self.model.waiting.values(), default=None)
            assert (None if claimed is None else claimed.task.id) == (best and best[3])
            if claimed is None:
                return "none"
            del self.model.waiting[claimed.task.id]
            lease = claimed.lease
            self.model.leased[lease.token] = (claimed.task.id, self.now, lease.expires_at)
            return lease.token

        @rule(token=tokens)
        def is_decided(self, token: str) -> None:
            held = self.model.leased.pop(token, None)
            error = AlreadyDecided if token in self.model.used else LeaseExpired
            self._try(decide, token, held, error, FAKE)
            if held is not None:
                self.model.decided.add(held[0])
                self.model.used.add(token)

        @rule(token=consumes(tokens))
        def is_released(self, token: str) -> None:
            held = self.model.leased.pop(token, None)
            error = AlreadyDecided if token in self.model.used else LeaseExpired
            self._try(release, token, held, error)
            if held is not None:
                self.model.waiting[held[0]] = self.model.places[held[0]]

        @rule(token=tokens)
        def is_renewed(self, token: str) -> None:
            held = self.model.leased.get(token)
            error = AlreadyDecided if token in self.model.used else LeaseExpired
            self._try(renew, token, held, error)
            if held is not None:
                until = min(self.now + RULES.lease, held[1] + RULES.hold_max)
                self.model.leased[token] = (held[0], held[1], until)

        def _try(self, operation: object, token: str, held: object, error: type, *more: object):
            if token == "none":
                return
            with self.review.at(self.now) as tx:
                if held is not None:
                    operation(tx, token, *more)
                    return
                with pytest.raises(error):
                    operation(tx, token, *more)

        @precondition(lambda self: self.ids)
        @rule(data=st.data(), priority=st.integers(0, 3))
        def is_seen_more(self, data: st.DataObject, priority: int) -> None:
            item = data.draw(st.sampled_from(sorted(self.ids)))
            task_id = self.ids[item]
            with self.review.at(self.now) as tx:
                changed = revalue(tx, item, Revaluation(float(priority), {}, None))
            assert changed == (task_id not in self.model.decided)
            lane, _, born, _ = self.model.places[task_id]
            if changed:
                self.model.places[task_id] = (lane, -float(priority), born, task_id)
            if task_id in self.model.waiting:
                self.model.waiting[task_id] = self.model.places[task_id]

        @rule(minutes=st.sampled_from([0.5, 4, 9.5, 10, 61, -1, -5, -600, 100_000, -100_000]))
        def time_passes(self, minutes: float) -> None:
            self.now += timedelta(minutes=minutes)

        @rule()
        def leases_run_out(self) -> None:
            before = len(self.model.leased)
            self.model.lapse(self.now)
            with self.review.at(self.now) as tx:
                assert expire(tx) == before - len(self.model.leased)

        @invariant()
        def nothing_is_lost(self) -> None:
            with reading(engine) as connection:
                states = dict(connection.execute(select(tasks.c.id, tasks.c.state)).all())
                live = connection.scalars(select(leases.c.token).where(leases.c.ended_at.is_(None)))
                assert set(live) == set(self.model.leased)
                found = connection.scalar(select(func.count()).select_from(decisions))
            held = {task_id for task_id, _, _ in self.model.leased.values()}
            assert states == (
                dict.fromkeys(self.model.waiting, TaskState.WAITING)
                | dict.fromkeys(held, TaskState.LEASED)
                | dict.fromkeys(self.model.decided, TaskState.DECIDED)
            )
            assert found == len(self.model.decided)

    return Queue


def test_any_history_goes_as_in_the_model(engine: Engine, kind_of_database: str) -> None:
    run_state_machine_as_test(
        queue_against_model(engine),
        settings=settings(
            max_examples=12 if kind_of_database == "sqlite" else 6,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
