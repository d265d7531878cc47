"""Flower, as it comes, sees our workers and their tasks."""

import json
import urllib.request
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest

from moderation.types import Disposition
from tests.contract.workers.deployment import Deployment, is_listening
from tests.service_processes import until
from workers.redis_server import free_port

pytestmark = pytest.mark.weights


def test_flower_shows_the_worker_and_what_it_did(deployed: Deployment) -> None:
    processes, port = deployed.processes, free_port()
    broker = ("--broker", processes.broker_url)
    where = ("--address=127.0.0.1", f"--port={port}", "--basic-auth=lea:secret")
    processes.start_python("-m", "celery", *broker, "flower", *where)
    key = {"Authorization": f"Basic {b64encode(b'lea:secret').decode()}"}
    until(lambda: is_listening(port))
    processes.start("worker", "--queues", "score")

    def told(path: str) -> dict[str, Any]:
        asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=key)
        with suppress(OSError), urllib.request.urlopen(asked) as answer:
            return json.load(answer)
        return {}

    until(lambda: told("/api/workers?refresh=1"))
    item = deployed.send("5")
    deployed.ring()
    until(lambda: deployed.settled().get(item) == Disposition.REVIEW)
    until(lambda: any(task["state"] == "SUCCESS" for task in told("/api/tasks").values()))
    [[name, worker]] = told("/api/workers").items()
    assert name.startswith("score-")
    assert any(queue["name"] == "score" for queue in worker["active_queues"])
