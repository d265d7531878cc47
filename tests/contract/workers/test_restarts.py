"""Brokers and workers that go and come: nothing is lost, and nothing done twice."""

import pytest

from moderation.intake.types import JobKind, JobState
from tests.contract.workers.deployment import Deployment
from tests.service_processes import until

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
