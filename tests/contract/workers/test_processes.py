"""Real processes: API, broker, workers, beat. Whatever becomes of them, nothing is lost."""

import json
import signal
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, select

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.audit.check import verify_store
from moderation.client import ModerationClient
from moderation.database import open_engine, reading, writing
from moderation.intake.blobs import BlobStore
from moderation.intake.submission import submit
from moderation.intake.tables import dispositions, jobs
from moderation.intake.types import JobKind, JobState, NewItem
from moderation.settings import Settings
from moderation.types import Disposition
from tests.service_processes import ServiceProcesses, service_processes, until
from workers.app import make_app
from workers.bells import ring
from workers.queues import Queue
from workers.redis_server import free_port

pytestmark = pytest.mark.weights


class Deployment:
    """The processes, and the database as the test sees it."""

    def __init__(self, processes: ServiceProcesses, engine: Engine) -> None:
        self.processes, self.engine = processes, engine
        self.blobs = BlobStore(processes.data, bytes_max=100_000)

    def send(self, content: str) -> str:
        """An upload that was taken in while no bell was rung; its id."""
        with self.blobs.upload() as upload:
            upload.write(content.encode())
            blob = upload.finish()
        new = NewItem(sha256=blob.sha256, size_bytes=blob.size_bytes, surface="feed")
        with writing(self.engine) as connection:
            return submit(connection, new, now=datetime.now(UTC)).id

    def settled(self) -> Mapping[str, str]:
        """Route by item."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(dispositions.c.item_id, dispositions.c.disposition))
            found = [(str(item), str(route)) for item, route in rows]
        assert len({item for item, _ in found}) == len(found)
        return dict(found)

    def states(self, kind: JobKind = JobKind.SCORE) -> Counter[JobState]:
        """Jobs by state."""
        with reading(self.engine) as connection:
            found = connection.scalars(select(jobs.c.state).where(jobs.c.kind == kind))
            return Counter(JobState(state) for state in found)

    def begun(self, mode: str = "fast") -> Counter[str]:
        """How often each file was begun to be scored."""
        notes = [note.split(" ", 2) for note in self.processes.notes()]
        return Counter(content for of, _, content in notes if of == mode)

    def key(self) -> str:
        """Of an admin."""
        with writing(self.engine) as connection:
            made = issue_key(connection, name="t", role=AccessRole.ADMIN, now=datetime.now(UTC))
        return made.secret_text

    def ring(self) -> None:
        """One bell for scores."""
        with make_app(Settings.load(broker_url=self.processes.broker_url)) as app:
            assert ring(app, Queue.SCORE, "0" * 64, "judge", "policy@1")

    def is_whole(self) -> bool:
        """Whether the audit chain holds."""
        return verify_store(self.engine).chain.is_whole


def is_listening(port: int) -> bool:
    with socket.socket() as channel:
        return channel.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Path
) -> Iterator[Deployment]:
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    settings = getattr(request, "param", {})
    with service_processes(tmp_path, f"sqlite:///{file}", **settings) as processes:
        processes.start_redis()
        engine = open_engine(f"sqlite:///{file}")
        yield Deployment(processes, engine)
        engine.dispose()


def test_an_upload_is_scored_through_the_broker(deployed: Deployment) -> None:
    processes, port = deployed.processes, free_port()
    api = processes.start("serve", "--port", str(port))
    worker = processes.start("worker", "--queues", "score")
    file = processes.folder / "upload"
    file.write_text("5")
    until(lambda: is_listening(port))
    with ModerationClient(f"http://127.0.0.1:{port}", deployed.key()) as client:
        item = client.upload(file, facts={"surface": "feed"})
    until(lambda: deployed.settled().get(item.id) == Disposition.REVIEW)
    assert deployed.begun() == {"5": 1}
    until(lambda: processes.run("worker", "health", "--queues", "score").returncode == 0)
    ill = processes.run("worker", "health", "--queues", "score,explain", "--json")
    assert ill.returncode == 1
    assert json.loads(ill.stdout)["ill"] == ["explain"]
    for process in (worker, api):
        process.terminate()
        assert process.wait(60) == 0
    assert not list(processes.run_dir.iterdir())
    assert deployed.is_whole()


@pytest.mark.parametrize("deployed", [{"lease_seconds": 2}], indirect=True)
def test_what_kills_its_worker_is_dead_lettered_and_the_rest_flows_on(
    deployed: Deployment,
) -> None:
    others = [deployed.send(f"5 {k}") for k in range(3)]
    poison = deployed.send("kill")
    deployed.processes.start("worker", "--queues", "score,maintenance")
    deployed.processes.start("beat")
    until(lambda: set(deployed.settled()) == {poison, *others}, seconds=200)
    assert set(deployed.settled().values()) == {Disposition.REVIEW}
    assert deployed.begun()["kill"] == 5
    told = deployed.processes.run("deadletter", "list", "--json")
    [dead] = json.loads(told.stdout)
    assert (dead["item"], dead["error"]) == (poison, "deliveries_exhausted")
    shown = deployed.processes.run("deadletter", "show", dead["job"])
    assert "begun 5 times" in shown.stdout
    assert deployed.is_whole()


def test_a_flushed_broker_loses_nothing(deployed: Deployment) -> None:
    """Bells are gone, and so is what the broker knows of queues."""
    worker = deployed.processes.start("worker", "--queues", "score,explain,maintenance")
    ids = {deployed.send(f"slow 0.2 5 {k}") for k in range(6)}
    deployed.processes.start("beat")
    until(lambda: deployed.settled())
    with deployed.processes.redis() as client:
        client.flushall()
    later = {deployed.send(f"5 later {k}") for k in range(6)}
    until(lambda: set(deployed.settled()) == ids | later)
    until(lambda: deployed.states(JobKind.EXPLAIN) == {JobState.DONE: 12})
    assert set(deployed.begun().values()) == {1}
    assert set(deployed.begun("full").values()) == {1}
    worker.terminate()
    assert worker.wait(60) == 0
    assert deployed.is_whole()


def test_sigterm_puts_back_what_was_not_begun_and_the_next_worker_goes_on(
    deployed: Deployment,
) -> None:
    ids = {deployed.send(f"slow 1 5 {k}") for k in range(4)}
    first = deployed.processes.start("worker", "--queues", "score")
    deployed.ring()
    until(lambda: deployed.begun())
    first.terminate()
    assert first.wait(60) == 0
    states = deployed.states()
    assert states[JobState.LEASED] == 0
    assert states[JobState.WAITING] == 4 - states[JobState.DONE] >= 1
    deployed.processes.start("worker", "--queues", "score")
    until(lambda: set(deployed.settled()) == ids)
    assert set(deployed.begun().values()) == {1}


def test_a_task_that_outlasts_its_message_runs_once(deployed: Deployment) -> None:
    """The broker hands the message out again; the job's lease says that it is in hand."""
    item = deployed.send("slow 8 5")
    pools = [
        deployed.processes.start_python("-m", "tests.contract.workers.impatient_broker")
        for _ in range(2)
    ]
    deployed.ring()
    until(lambda: set(deployed.settled()) == {item})
    assert deployed.begun() == {"slow 8 5": 1}
    assert deployed.processes.log.read_text().count("] received") >= 2
    for pool in pools:
        pool.terminate()
        assert pool.wait(60) == 0


def test_a_rolling_restart_loses_and_repeats_nothing(deployed: Deployment) -> None:
    deployed.processes.start("worker", "--queues", "maintenance")
    deployed.processes.start("beat")
    old = deployed.processes.start("worker", "--queues", "score")
    ids = {deployed.send(f"slow 0.3 5 {k}") for k in range(10)}
    for _ in range(2):
        done = len(deployed.settled())
        until(lambda done=done: len(deployed.settled()) > done)
        new = deployed.processes.start("worker", "--queues", "score")
        old.terminate()
        assert old.wait(60) == 0
        old = new
    until(lambda: set(deployed.settled()) == ids)
    assert set(deployed.begun().values()) == {1}
    assert deployed.states() == {JobState.DONE: 10}
    assert deployed.is_whole()


def test_up_runs_the_whole_service_and_leaves_nothing(deployed: Deployment) -> None:
    processes, port = deployed.processes, free_port()
    del processes.environment["MODERATION_BROKER_URL"]
    stack = processes.start("up", "--port", str(port))
    until(lambda: is_listening(port))
    file = processes.folder / "upload"
    file.write_text("5")
    with ModerationClient(f"http://127.0.0.1:{port}", deployed.key()) as client:
        item = client.upload(file, facts={"surface": "feed"})
    until(lambda: deployed.settled().get(item.id) == Disposition.REVIEW)
    until(lambda: deployed.states(JobKind.EXPLAIN) == {JobState.DONE: 1})
    family = psutil.Process(stack.pid).children(recursive=True)
    assert {"redis-server"} < {one.name() for one in family}
    assert len(family) >= 2 + 4 * 2
    stack.send_signal(signal.SIGINT)
    assert stack.wait(120) == 0
    assert [one for one in family if one.is_running()] == []


def test_up_that_is_killed_takes_its_parts_with_it(deployed: Deployment) -> None:
    del deployed.processes.environment["MODERATION_BROKER_URL"]
    stack = deployed.processes.start("up", "--port", str(free_port()))
    parts = psutil.Process(stack.pid)
    until(lambda: len(parts.children(recursive=True)) >= 2 + 4)
    family = parts.children(recursive=True)
    stack.kill()
    stack.wait()
    until(lambda: not any(one.is_running() for one in family))
