"""A deployment with a broker, and what a test sees of it."""

import socket
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.audit.check import verify_store
from moderation.database import reading, writing
from moderation.intake.blobs import BlobStore
from moderation.intake.submission import submit
from moderation.intake.tables import dispositions, jobs
from moderation.intake.types import JobKind, JobState, NewItem
from moderation.settings import Settings
from tests.service_processes import ServiceProcesses
from workers.app import make_app
from workers.bells import ring
from workers.queues import Queue


class Deployment:
    """The processes, and the database as the test sees it."""

    def __init__(self, processes: ServiceProcesses, engine: Engine) -> None:
        self.processes, self.engine = processes, engine
        self.blobs = BlobStore(processes.data, bytes_max=1_000_000)

    def send(self, content: str) -> str:
        """An upload that was taken in while no bell was rung; its id."""
        return self.take(content.encode())

    def take(self, content: bytes) -> str:
        """The same of any bytes."""
        with self.blobs.upload() as upload:
            upload.write(content)
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
