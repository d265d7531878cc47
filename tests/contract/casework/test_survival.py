"""Whatever dies, each item ends with one disposition, and nothing is done twice."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from moderation.audit.check import verify_store
from moderation.audit.store import Search, search
from moderation.casework.running import InlineRunner, work_off
from moderation.casework.scoring import claim_batch, work_batch
from moderation.database import reading
from moderation.intake.listings import count_jobs, jobs_of
from moderation.intake.tables import dispositions
from moderation.intake.types import JobState
from moderation.review.tables import tasks
from moderation.types import Disposition
from tests.contract.casework.scripted import Clock, ScriptedDispatcher, make_desk, send

ROOT = Path(__file__).parents[3]
SCRIPTS = ("0", "5 a", "9", "5 b", "corrupt", "5 c", "kill", "9 b", "5 d", "0 b", "9 c", "5 e")


def by_item(engine: Engine, kind: str) -> Counter[str]:
    found: Counter[str] = Counter()
    with reading(engine) as connection:
        after = 0
        while page := search(connection, Search(after=after, limit=1000)):
            found.update(one["item"] for one in page if one["kind"] == kind)
            after = page[-1]["sequence"]
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_at_random_points(
    engine: Engine, database_url: str, tmp_path: Path, seed: int
) -> None:
    desk = make_desk(engine, tmp_path / "data")
    sent = {script: send(desk, script) for script in SCRIPTS}
    copy = send(desk, "5 a")
    engine.dispose()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.contract.casework.killed_workers"),
            *(database_url, str(tmp_path / "data"), str(seed), "12"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3, done.stderr
    ids = {item.id for item in (*sent.values(), copy)}
    with reading(engine) as connection:
        routes = {row.item_id: row for row in connection.execute(select(dispositions)).all()}
        count = connection.scalar(select(func.count()).select_from(dispositions))
        queued = Counter(connection.scalars(select(tasks.c.item_id)))
        counts = count_jobs(connection)
        [poison] = jobs_of(connection, sent["kill"].id)
    assert set(routes) == ids
    assert count == len(ids)
    reviews = {
        item_id
        for item_id, row in routes.items()
        if row.disposition == Disposition.REVIEW and row.served_by is None
    }
    assert queued == Counter(dict.fromkeys(reviews, 1))
    assert by_item(engine, "triaged") == Counter(dict.fromkeys(ids, 1))
    assert by_item(engine, "enqueued") == Counter(dict.fromkeys(reviews, 1))
    assert counts[JobState.WAITING] == counts[JobState.LEASED] == 0
    assert routes[sent["kill"].id].disposition == Disposition.REVIEW
    assert poison.state is JobState.DEAD
    assert poison.error is not None
    assert poison.error.code == "deliveries_exhausted"
    assert verify_store(engine).chain.is_whole


def test_two_workers_at_once_do_no_job_twice(engine: Engine, tmp_path: Path) -> None:
    dispatchers = [ScriptedDispatcher() for _ in range(2)]
    desks = [
        make_desk(engine, tmp_path / "data", dispatcher=one, batch_max=2, worker=f"w{k}")
        for k, one in enumerate(dispatchers)
    ]
    scripts = [f"{5 * (k % 2)} {k}" for k in range(20)]
    ids = {send(desks[0], script).id for script in scripts}
    ended: list[int] = []
    threads = [
        threading.Thread(target=lambda desk=desk: ended.append(work_off(desk))) for desk in desks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(ended) == 20
    assert len(dispatchers[0].seen) + len(dispatchers[1].seen) == 20
    assert by_item(engine, "triaged") == Counter(dict.fromkeys(ids, 1))
    assert verify_store(engine).chain.is_whole


def test_a_worker_whose_job_was_taken_over_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    slow = make_desk(engine, tmp_path / "data")
    item = send(slow, "5")
    held = claim_batch(slow)
    late = Clock()
    late.wait(hours=1)
    fast = make_desk(engine, tmp_path / "data", clock=late)
    assert work_off(fast) == 1
    assert work_batch(slow, held) == 0
    assert by_item(engine, "triaged") == Counter({item.id: 1})


def test_stopping_puts_back_what_was_not_begun(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(engine, tmp_path / "data")
    ids = [send(desk, f"9 {k}").id for k in range(5)]
    held = claim_batch(desk)
    assert len(held) == 5
    assert work_batch(desk, held, is_stopping=lambda: True) == 1
    with reading(engine) as connection:
        states = [(job.state, job.deliveries) for one in ids for job in jobs_of(connection, one)]
    assert sorted(states) == [(JobState.DONE, 1)] + 4 * [(JobState.WAITING, 0)]


def test_the_runner_works_when_the_bell_rings_and_ends_when_told(
    engine: Engine, tmp_path: Path
) -> None:
    desk = make_desk(engine, tmp_path / "data")
    with InlineRunner(desk, poll_seconds=0.01) as runner:
        ids = [send(desk, f"{k}").id for k in (0, 5, 9)]
        runner.ring()
        settled = threading.Event()
        while not settled.wait(0.01):
            with reading(engine) as connection:
                if connection.scalar(select(func.count()).select_from(dispositions)) == 3:
                    settled.set()
    assert not runner.is_alive
    assert runner.last_error is None
    assert by_item(engine, "triaged") == Counter(dict.fromkeys(ids, 1))
