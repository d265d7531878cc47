"""The queue `batch` as it is deployed: what is told of it, what scales it, what it does without."""

import json
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.workers.deployment import Deployment
from tests.contract.workers.test_batches import begun, score, worker, write
from tests.service_processes import until
from workers.batches.signs import LIVING_SECONDS, OUT
from workers.pools import PORTS_A_QUEUE
from workers.queues import Queue
from workers.redis_server import free_port

pytestmark = [
    pytest.mark.weights,
    pytest.mark.parametrize("deployed", [{"batch_items_max": 1}], indirect=True),
]


def figures(port: int) -> dict[str, float]:
    """Of the queue, as Prometheus sees them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        " ".join([one.name, *sorted(one.labels.values())]): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name.startswith("moderation_job") and one.labels.get("kind") == Queue.BATCH
    }


def test_orders_are_told_by_number_and_age_and_scale_the_workers(
    deployed: Deployment, tmp_path: Path
) -> None:
    processes, first = deployed.processes, free_port()
    processes.environment["MODERATION_METRICS_PORT"] = str(first)
    port = first + PORTS_A_QUEUE * (1 + list(Queue).index(Queue.BATCH))
    worker(processes)
    files = write(tmp_path / "files", "slow 600 5", "6", "7")
    client = processes.start("score", "--engine", "celery", *files)
    until(lambda: begun(processes)["slow 600 5 #0"])
    with processes.redis() as redis:
        until(lambda: redis.llen(Queue.BATCH) == 1)
        assert redis.zcard(OUT) == 2  # what KEDA asks: one waits, one is under way
        assert 0 < redis.ttl(OUT) <= LIVING_SECONDS  # gone by itself with the last client
        until(lambda: figures(port)["moderation_job_due_seconds batch"] > 1)
        told = figures(port)
        assert told["moderation_jobs batch waiting"] == told["moderation_jobs batch leased"] == 1
        client.terminate()
        client.wait(60)
        assert not redis.exists(OUT)
    processes.stop()


def test_a_silent_broker_costs_figures_and_no_answer(deployed: Deployment) -> None:
    processes, first = deployed.processes, free_port()
    processes.environment["MODERATION_METRICS_PORT"] = str(first)
    worker(processes)
    port = first + PORTS_A_QUEUE * (1 + list(Queue).index(Queue.BATCH))
    until(lambda: processes.run("worker", "health", "--queues", "batch").returncode == 0)
    until(lambda: figures(port)["moderation_jobs batch waiting"] == 0)
    with processes.redis() as redis:
        redis.shutdown(nosave=True)
    assert figures(port) == {}


def test_it_needs_neither_database_nor_uploads(deployed: Deployment, tmp_path: Path) -> None:
    processes = deployed.processes
    del processes.environment["MODERATION_DATABASE_URL"]
    processes.environment["MODERATION_DATA_DIR"] = "/dev/null/none"
    worker(processes)
    rows = score(processes, *write(tmp_path / "files", "5", "6"))
    assert [row["score"] for row in rows] == [5, 6], json.dumps(rows)
