"""`make bench`: many reviewers at once, and claims from a short queue against a long one.

    python -m tests.benchmarks.review [--tasks 20000] [--waiting 1000000] [--rounds 200]
                                      [--only sqlite|postgresql] [--part crew|latency]

Claims from the two queues take turns, so that a slow spell of the machine meets both; only their
ratio is a result.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, MetaData, insert, literal, select, text

from moderation.database import open_engine, upgrade, writing
from moderation.review.arrivals import enqueue
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.reviewers import enrol
from moderation.review.tables import tasks
from moderation.review.transaction import Review
from moderation.review.types import Action, Finding, Reviewer, Verdict, Wellness
from tests.contract.review.conftest import new_task
from tests.contract.review.crew import RULES, crew, out_of_order
from tests.databases import postgres_server

REVIEWERS = {"sqlite": 8, "postgresql": 200}
SHORT = 10_000
_FINDING = Finding(Verdict.AUTHENTIC, Action.LEAVE, reason_code="none")
_TIRELESS = Wellness(work_minutes=1e6)


@contextmanager
def databases(kind: str) -> Iterator[Iterator[str]]:
    """URLs of new databases of a kind."""
    if kind == "postgresql":
        with postgres_server() as server:
            yield (server.create_database() for _ in count())
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield (f"sqlite:///{Path(folder)}/{n}.sqlite" for n in count())


def fill(engine: Engine, size: int, people: list[str]) -> list[str]:
    """Ids of new tasks, best first."""
    upgrade(engine)
    draw = random.Random(size)
    new = [new_task(f"{n}", lane=draw.randrange(3), priority=draw.random()) for n in range(size)]
    with Review(engine, RULES, new_id=_short_id).at(datetime.now(UTC)) as tx:
        ids = [each.task_id for each in enqueue(tx, new)]
        for person in people:
            enrol(tx, Reviewer(person, wellness=_TIRELESS))
    ranked = sorted(zip(new, ids, strict=True), key=lambda t: (t[0].lane, -t[0].priority, t[1]))
    return [task_id for _, task_id in ranked]


def _short_id() -> str:
    return f"{random.getrandbits(96):024x}"


def multiply(engine: Engine, times: int) -> None:
    """`times` as many waiting tasks, with priorities in between those that are there."""
    names = [column.name for column in tasks.columns]
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size = -500000")  # KiB, to fill it quickly
        connection.execute(text("CREATE TEMPORARY TABLE base AS SELECT * FROM review_tasks"))
        base = tasks.to_metadata(MetaData(), name="base").alias()
        for n in range(1, times):
            suffix = f"-{n:07d}"
            changed = {
                "id": base.c.id + suffix,
                "case_id": base.c.case_id + suffix,
                "item_id": base.c.item_id + suffix,
                "priority": base.c.priority * literal(1 - n / times),
            }
            copied = select(*(changed.get(name, base.c[name]) for name in names))
            connection.execute(insert(tasks).from_select(names, copied))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()  # claims are measured on connections as they are anywhere else


def run_crew(kind: str, size: int) -> None:
    """None twice, none lost, in order; and how long it took."""
    people = [f"r{n}" for n in range(REVIEWERS[kind])]
    with databases(kind) as urls:
        url = next(urls)
        engine = open_engine(url)
        order = fill(engine, size, people)
        engine.dispose()
        start = time.monotonic()
        taken = crew(url, people, processes=4)
        seconds = time.monotonic() - start
    times = Counter(each.task_id for each in taken)
    waits = statistics.quantiles([each.ended - each.started for each in taken], n=100)
    print(
        f"{kind}: {len(people)} reviewers, {size} tasks: {len(set(order) - set(times))} lost, "
        f"{sum(n > 1 for n in times.values())} twice, {len(out_of_order(order, taken))} out of "
        f"order; {size / seconds:.0f} claimed and decided a second, a claim took "
        f"{waits[49] * 1e3:.0f} ms (median), {waits[98] * 1e3:.0f} ms (99 %)",
        flush=True,
    )


def run_latency(kind: str, waiting: int, rounds: int) -> None:
    """A claim from a long queue against one from a short queue."""
    with databases(kind) as urls:
        engines = [open_engine(next(urls)) for _ in range(2)]
        for engine in engines:
            fill(engine, SHORT, ["ann"])
        multiply(engines[0], 1)
        multiply(engines[1], waiting // SHORT)
        seconds: list[list[float]] = [[], []]
        for _ in range(rounds):
            for engine, found in zip(engines, seconds, strict=True):
                found.append(_claim(Review(engine, RULES)))
        for engine in engines:
            engine.dispose()
    short, long = (statistics.median(found) for found in seconds)
    tenths = [statistics.quantiles(found, n=10) for found in seconds]
    quick, slow = (tenths[1][place] / tenths[0][place] for place in (0, 8))
    print(
        f"{kind}: a claim with {waiting} tasks waiting takes {long / short:.2f} times as long as "
        f"with {SHORT} (median of {rounds}, {short * 1e3:.1f} ms); {quick:.2f} times in the "
        f"quickest tenth, {slow:.2f} times in the slowest",
        flush=True,
    )


def _claim(review: Review) -> float:
    start = time.perf_counter()
    with review.at(datetime.now(UTC)) as tx:
        claimed = claim(tx, "ann")
    seconds = time.perf_counter() - start
    assert claimed is not None
    with review.at(datetime.now(UTC)) as tx:
        decide(tx, claimed.lease.token, _FINDING)
    return seconds


def main() -> None:
    """Print a line a measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only", choices=list(REVIEWERS))
    parser.add_argument("--part", choices=["crew", "latency"])
    options = parser.parse_args()
    for kind in [options.only] if options.only else REVIEWERS:
        if options.part != "latency":
            run_crew(kind, options.tasks)
        if options.part != "crew":
            run_latency(kind, options.waiting, options.rounds)


if __name__ == "__main__":
    main()
