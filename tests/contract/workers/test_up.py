"""`moderation up`: the whole service, and nothing of it afterwards."""

import signal

import psutil
import pytest

from moderation.client import ModerationClient
from moderation.intake.types import JobKind, JobState
from moderation.types import Disposition
from tests.contract.workers.deployment import Deployment, is_listening
from tests.service_processes import until
from workers.redis_server import free_port

pytestmark = pytest.mark.weights


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
