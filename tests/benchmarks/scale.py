"""Uploads through the broker: throughput by worker processes, and the API while workers are busy.

    python -m tests.benchmarks.scale [--files 120] [--processes 1 2 4] [--uploads 60] [--out F]

Real photographs, made distinct by a few bytes behind their end, scored by the starter judge on
PostgreSQL and Redis. The floor is the same list in one process without a queue, database or broker,
with the whole machine to itself. Workers are warm before they are timed. Latency of an upload is
from its first byte to the answer, over HTTP, with nothing else to do and with a backlog that lasts.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moderation.app import build_dispatcher
from moderation.client import ModerationClient
from moderation.database import open_engine, upgrade
from moderation.settings import Settings
from moderation.types import Mode
from tests.contract.workers.deployment import Deployment, is_listening
from tests.databases import PostgresServer, postgres_server
from tests.service_processes import dispose, service_processes, until
from workers.redis_server import free_port

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
WAIT_SECONDS = 900.0


def photographs(folder: Path, count: int, name: str) -> list[Path]:
    """Files with bytes of their own that all decode."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = [path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"))]
    made = []
    for number in range(count):
        made.append(folder / f"{name}-{number}.jpg")
        made[-1].write_bytes(sources[number % len(sources)] + f"{name} {number}".encode())
    return made


@contextmanager
def deployed(folder: Path, server: PostgresServer) -> Iterator[Deployment]:
    """An empty deployment with a broker and what rings for jobs; no worker yet."""
    url = server.create_database()
    engine = open_engine(url)
    upgrade(engine)
    with service_processes(folder, url, dispatcher="local") as processes:
        processes.environment.pop("OMP_NUM_THREADS")  # as many as the floor has, shared among them
        processes.start_redis()
        processes.start("worker", "--queues", "maintenance")
        processes.start("beat")
        yield Deployment(processes, engine)
        dispose(engine)


def floor(files: Sequence[Path], warm: Sequence[Path]) -> float:
    """Items a second of the dispatcher alone."""
    with build_dispatcher(Settings.load(feature_cache_bytes=0)) as dispatcher:
        list(dispatcher.score(list(warm), Mode.FAST))
        began = time.perf_counter()
        done = len(list(dispatcher.score(list(files), Mode.FAST)))
        return done / (time.perf_counter() - began)


def throughput(one: Deployment, processes: int, files: int) -> float:
    """Items a second of that many processes, after each has loaded its models."""
    one.processes.start("worker", "--queues", "score", "--concurrency", str(processes))
    folder = one.processes.folder / "photographs"
    warm = [one.take(path.read_bytes()) for path in photographs(folder, 16 * processes, "warm")]
    until(lambda: set(one.settled()) >= set(warm), WAIT_SECONDS)
    ids = {one.take(path.read_bytes()) for path in photographs(folder, files, "timed")}
    began, before = time.perf_counter(), len(set(one.settled()) & ids)
    until(lambda: set(one.settled()) >= ids, WAIT_SECONDS)
    return (files - before) / (time.perf_counter() - began)


def latencies(client: ModerationClient, files: Sequence[Path]) -> list[float]:
    """Seconds of each upload, in order."""
    found = []
    for path in files:
        began = time.perf_counter()
        client.upload(path, facts={"surface": "feed"})
        found.append(time.perf_counter() - began)
    return found


def uploads(one: Deployment, count: int) -> dict[str, Any]:
    """Latency of uploads while nobody scores, and while workers have more than they can do."""
    port, folder = free_port(), one.processes.folder / "photographs"
    one.processes.start("serve", "--port", str(port))
    until(lambda: is_listening(port))
    with ModerationClient(f"http://127.0.0.1:{port}", one.key()) as client:
        latencies(client, photographs(folder, 10, "first"))
        idle = latencies(client, photographs(folder, count, "idle"))
        backlog = {
            one.take(path.read_bytes()) for path in photographs(folder, 4 * count, "backlog")
        }
        one.processes.start("worker", "--queues", "score")
        until(lambda: one.settled(), WAIT_SECONDS)
        busy = latencies(client, photographs(folder, count, "busy"))
        left = len(backlog - set(one.settled()))
    return {
        "idle_ms": milliseconds(idle),
        "busy_ms": milliseconds(busy),
        "p99_ratio": round(quantile(busy, 99) / quantile(idle, 99), 2),
        "backlog_left": left,
    }


def quantile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    """p50 and p99."""
    return {f"p{p}": round(1000 * quantile(values, p), 1) for p in (50, 99)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--uploads", type=int, default=60)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as name, postgres_server() as server:
        folder = Path(name)
        alone = floor(
            photographs(folder, given.files, "floor"), photographs(folder, 16, "floor-warm")
        )
        found: dict[str, Any] = {"floor_items_per_second": round(alone, 2), "processes": {}}
        for processes in given.processes:
            with deployed(folder / f"workers-{processes}", server) as one:
                rate = throughput(one, processes, given.files)
            found["processes"][processes] = {
                "items_per_second": round(rate, 2),
                "of_the_floor": round(rate / alone, 2),
            }
        with deployed(folder / "uploads", server) as one:
            found["uploads"] = uploads(one, given.uploads)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
