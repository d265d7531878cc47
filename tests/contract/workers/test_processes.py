"""Real processes: API, broker, workers, beat. Whatever becomes of them, nothing is lost."""

import json
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

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
from moderation.types import Disposition
from tests.service_processes import ServiceProcesses, service_processes, until
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

    def is_whole(self) -> bool:
        """Whether the audit chain holds."""
        return verify_store(self.engine).chain.is_whole


def is_listening(port: int) -> bool:
    with socket.socket() as channel:
        return channel.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def deployed(tmp_path: Path, migrated: Path) -> Iterator[Deployment]:
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    with service_processes(tmp_path, f"sqlite:///{file}") as processes:
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
