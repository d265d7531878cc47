"""Many reviewers, killed reviewers: nothing twice, nothing lost, in order."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, func, select

from moderation.database import reading
from moderation.review.arrivals import enqueue
from moderation.review.decisions import decide
from moderation.review.reviewers import enrol
from moderation.review.tables import decisions, leases, rulings, tasks
from moderation.review.transaction import Review
from moderation.review.types import Reviewer, TaskKind, TaskState
from tests.contract.review.conftest import FAKE, Bench, new_task
from tests.contract.review.crew import FORKS, RULES, Taken, crew, out_of_order, stop_at, work_off

TASKS, REVIEWERS = {"sqlite": 120, "postgresql": 300}, {"sqlite": 8, "postgresql": 40}


def fill(engine: Engine, count: int, people: list[str]) -> list[str]:
    """Ids of new tasks, best first."""
    draw = random.Random(count)
    new = [
        new_task(f"{n}", lane=draw.randrange(3), priority=draw.choice([draw.random(), 0.5]))
        for n in range(count)
    ]
    with Review(engine, RULES).at(datetime.now(UTC)) as tx:
        ids = [each.task_id for each in enqueue(tx, new)]
        for person in people:
            enrol(tx, Reviewer(person))
    ranked = sorted(zip(new, ids, strict=True), key=lambda t: (t[0].lane, -t[0].priority, t[1]))
    return [task_id for _, task_id in ranked]


def test_reviewers_at_once_take_every_task_once_and_in_order(
    engine: Engine, database_url: str, kind_of_database: str
) -> None:
    people = [f"r{n}" for n in range(REVIEWERS[kind_of_database])]
    order = fill(engine, TASKS[kind_of_database], people)
    taken = crew(database_url, people, processes=2)
    assert Counter(each.task_id for each in taken) == Counter(order)
    assert out_of_order(order, taken) == []
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(decisions)) == len(order)
        assert connection.scalar(select(func.count()).select_from(rulings)) == len(order)


def test_a_claim_out_of_order_would_be_found() -> None:
    first, second = Taken("a", "ann", 5.0, 6.0), Taken("b", "ben", 1.0, 2.0)
    assert out_of_order(["a", "b"], [first, second]) == [second]
    assert out_of_order(["b", "a"], [first, second]) == []


POINTS = ("in claim", "after claim", "in decide", "after decide")


def test_reviewers_that_are_killed_lose_nothing(engine: Engine, database_url: str) -> None:
    people = [f"r{n}" for n in range(len(POINTS))]
    order = fill(engine, 10, [*people, "last"])
    for person, point in zip(people, POINTS, strict=True):
        here, there = FORKS.Pipe()
        process = FORKS.Process(target=stop_at, args=(database_url, person, point, there))
        process.start()
        assert here.recv() == point
        process.kill()
        process.join()
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(decisions)) == 1
    bench = Bench(Review(engine, RULES), now=datetime.now(UTC) + timedelta(minutes=11))
    # PostgreSQL takes a moment to notice that a client is gone, and holds its rows until then.
    while count(engine, tasks.c.state != TaskState.DECIDED):
        if claimed := bench.claim("last"):
            bench.do(decide, claimed.lease.token, FAKE)
    with reading(engine) as connection:
        decided = connection.scalars(select(decisions.c.task_id)).all()
        ruled = connection.scalars(select(rulings.c.case_id)).all()
    assert Counter(decided) == Counter(ruled) == Counter(order)
    assert count(engine, leases.c.ended_at.is_(None)) == 0


def count(engine: Engine, condition: ColumnElement[bool]) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).where(condition)) or 0


def test_second_reviews_at_once_are_by_two_people_each(engine: Engine, database_url: str) -> None:
    people = [f"r{n}" for n in range(4)]
    order = fill(engine, 30, people)
    shares = [(database_url, people[start::2], 1.0) for start in range(2)]
    with FORKS.Pool(2) as pool:
        # Whoever finds nothing goes home, though a colleague's next decision may bring more.
        while count(engine, tasks.c.state != TaskState.DECIDED):
            pool.starmap(work_off, shares)
    with reading(engine) as connection:
        found = connection.execute(select(decisions.c.case_id, decisions.c.reviewer_id)).all()
        kinds = connection.scalars(select(tasks.c.kind)).all()
        ruled = connection.scalars(select(rulings.c.case_id)).all()
    assert len(set(found)) == len(found) == 2 * len(order)
    assert Counter(kinds) == {TaskKind.FIRST: len(order), TaskKind.SECOND: len(order)}
    assert Counter(ruled) == Counter(order)
