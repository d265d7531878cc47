"""The real processes of a deployment with a broker, each started and killed by a test."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis
from sqlalchemy import Engine

from workers.parentage import ending_with_parent
from workers.redis_server import redis_part

ROOT = Path(__file__).parents[1]
PLUGIN = "tests.contract.workers.plugin:LoggingDispatcher"
START_SECONDS = 60.0


class ServiceProcesses:
    """`moderation` commands and a Redis server in a folder of their own, with one environment."""

    def __init__(self, folder: Path, database_url: str, **settings: object) -> None:
        self.folder = folder
        self.data, self.run_dir, self.log = folder / "data", folder / "run", folder / "log"
        self.log.touch()
        self.scored = folder / "scored"
        self._redis, self.broker_url = redis_part(folder / "redis")
        site = folder / "site"
        (site / "scripted-1.dist-info").mkdir(parents=True)
        (site / "scripted-1.dist-info" / "METADATA").write_text("Name: scripted\nVersion: 1\n")
        (site / "scripted-1.dist-info" / "entry_points.txt").write_text(
            f"[moderation.dispatchers]\nscripted = {PLUGIN}\n"
        )
        usual: dict[str, object] = {
            "data_dir": self.data,
            "database_url": database_url,
            "run_dir": self.run_dir,
            "broker_url": self.broker_url,
            "dispatcher": "scripted",
            "lease_seconds": 60,
            "sweep_seconds": 1,
            "stop_seconds_max": 20,
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MODERATION_")}
        chosen = {f"MODERATION_{k.upper()}": str(v) for k, v in (usual | settings).items()}
        self.environment = {
            **clean,
            **chosen,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{site}",
            "SCRIPTED_LOG": str(self.scored),
            "NO_COLOR": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def settings(self) -> dict[str, str]:
        """Of the processes, by the name of the field."""
        return {
            name.removeprefix("MODERATION_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("MODERATION_")
        }

    def start_redis(self) -> subprocess.Popen[bytes]:
        """A server that answers."""
        process = self._start(*self._redis.command)
        until(lambda: self._answers(process))
        return process

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of `moderation`."""
        return self._start(sys.executable, "-m", "moderation", *arguments)

    def start_python(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A module of the tests."""
        return self._start(sys.executable, *arguments)

    def run(
        self, *arguments: str, seconds: float = START_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """A command of `moderation`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "moderation", *arguments],
            cwd=ROOT,
            env=self.environment | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def redis(self) -> "redis.Redis[Any]":
        """A client of the server."""
        return redis.Redis.from_url(self.broker_url)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=ending_with_parent(),
            )
        self._running.append(process)
        return process

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log.read_text()
        try:
            with self.redis() as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False

    def stop(self) -> None:
        """End what still runs, and everything that came of it."""
        family = []
        for process in self._running:
            if process.poll() is None:
                family += psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGTERM)
        for process in reversed(self._running):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for left in family:
            if left.is_running():
                left.kill()

    def notes(self, what: str = "begun") -> list[str]:
        """What the dispatchers noted: mode, process and the file's content."""
        if not self.scored.exists():
            return []
        lines = self.scored.read_text().splitlines()
        return [line.partition(" ")[2] for line in lines if line.startswith(what)]


@contextmanager
def service_processes(
    folder: Path, database_url: str, **settings: object
) -> Iterator[ServiceProcesses]:
    """Processes that are gone at the end; prints their log, which pytest shows after a failure."""
    folder.mkdir(parents=True, exist_ok=True)
    service = ServiceProcesses(folder, database_url, **settings)
    try:
        yield service
    finally:
        service.stop()
        print(service.log.read_text()[-20_000:])
        shutil.rmtree(service.run_dir, ignore_errors=True)


def until(is_so: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Wait until something holds, with patience: nothing is measured."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        pause.wait(0.05)


def dispose(engine: Engine) -> None:
    """Close connections that a killed server has cut already."""
    engine.dispose(close=False)
