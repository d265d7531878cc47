"""Brokers, workers and interfaces that go and come: nothing is lost, and nothing done twice."""

import json
import subprocess
import threading
from http.client import HTTPConnection

import pytest

from moderation.client import ModerationClient
from moderation.intake.types import JobKind, JobState
from tests.contract.workers.deployment import Deployment, is_listening
from tests.service_processes import until
from workers.redis_server import free_port

pytestmark = pytest.mark.weights


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


def interface(deployed: Deployment) -> tuple[int, "subprocess.Popen[bytes]"]:
    """A further one that takes requests, at a port of its own."""
    port = free_port()
    process = deployed.processes.start("serve", "--port", str(port))
    until(lambda: is_listening(port))
    return port, process


class Senders:
    """Hand uploads in until they are stopped, to the last of `ports`, as a load balancer would;
    none tries twice. taken: ids. faults: what must not happen."""

    def __init__(self, deployed: Deployment, port: int, key: str) -> None:
        self.ports = [port]
        self.taken: list[str] = []
        self.faults: list[BaseException] = []
        self._folder, self._key = deployed.processes.folder, key
        self._is_over = threading.Event()
        self._at: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._send, args=(k,)) for k in range(3)]

    def _send(self, number: int) -> None:
        file = self._folder / f"upload-{number}"
        try:
            for count in range(10_000):
                if self._is_over.is_set():
                    return
                file.write_text(f"5 {number} {count}")
                self._at[number] = port = self.ports[-1]
                with ModerationClient(f"http://127.0.0.1:{port}", self._key) as client:
                    self.taken.append(client.upload(file, facts={"surface": "feed"}).id)
        except BaseException as error:
            self.faults.append(error)

    def go_on(self) -> None:
        """Until more was taken."""
        enough = len(self.taken) + 6
        until(lambda: len(self.taken) >= enough or self.faults, seconds=200)
        assert not self.faults

    def move(self, port: int) -> None:
        """To another interface; until nobody begins anything with the last one any more."""
        self.ports.append(port)
        until(lambda: set(self._at.values()) == {port} or self.faults, seconds=200)

    def __enter__(self) -> "Senders":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()


Half = tuple[HTTPConnection, bytes]


def half_an_upload(port: int, key: str, content: bytes) -> Half:
    """A request whose body has come by half."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", "/v1/items?surface=feed")
    connection.putheader("Authorization", f"Bearer {key}")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content[:4])
    return connection, content[4:]


def the_other_half(begun: Half) -> str:
    """The id of what was taken in."""
    connection, rest = begun
    connection.send(rest)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status in (200, 201, 202), said
    connection.close()
    return str(json.loads(said)["id"])


def test_interfaces_and_workers_are_replaced_while_uploads_come(deployed: Deployment) -> None:
    """Each new process is there before the old one is told to stop; every request is answered."""
    deployed.processes.start("worker", "--queues", "maintenance")
    deployed.processes.start("beat")
    worker = deployed.processes.start("worker", "--queues", "score")
    port, old = interface(deployed)
    key = deployed.key()
    with Senders(deployed, port, key) as senders:
        for _ in range(2):
            senders.go_on()
            port, new = interface(deployed)
            replacement = deployed.processes.start("worker", "--queues", "score")
            begun = half_an_upload(senders.ports[-1], key, b"5 in two halves at %d" % port)
            senders.move(port)
            for process in (old, worker):
                process.terminate()
            until(lambda: not is_listening(senders.ports[-2]))
            senders.taken.append(the_other_half(begun))
            assert old.wait(60) == 0
            assert worker.wait(60) == 0
            old, worker = new, replacement
        senders.go_on()
    assert not senders.faults
    until(lambda: set(deployed.settled()) == set(senders.taken), seconds=200)
    assert len(set(senders.taken)) == len(senders.taken)
    assert set(deployed.begun().values()) == {1}
    assert deployed.is_whole()
