"""Real processes: API, broker, workers, beat; files that come to their end, and one that kills."""

import json

import pytest

from moderation.client import ModerationClient
from moderation.types import Disposition
from tests.contract.workers.deployment import Deployment, is_listening
from tests.service_processes import until
from workers.redis_server import free_port

pytestmark = pytest.mark.weights


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
