"""What the chaos run kills and starts again: every process of a deployment with a broker."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import psutil
from sqlalchemy import Engine

from moderation.database import open_engine, upgrade
from moderation.policy.loading import DEFAULT
from moderation.service import build_context
from moderation.settings import Settings
from moderation.types import Mode
from tests.contract.casework.scripted import calibrator
from tests.databases import PostgresServer, initialise, start_server, wait_for_server
from tests.service_processes import ServiceProcesses, until
from workers.redis_server import free_port


class Target(StrEnum):
    """What is killed with SIGKILL."""

    API = "api"
    WORKER = "worker"
    POOL_PROCESS = "pool process"
    DECODER = "decoder child"
    EXPLAINER = "explainer"
    MAINTENANCE = "maintenance"
    BEAT = "beat"
    REDIS = "redis"
    POSTGRES = "postgresql"


class Postgres:
    """A server that can be killed, and comes back with what was committed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        initialise(self.folder)
        self.server = PostgresServer(self.folder)
        self.start()
        self.url = self.server.create_database()

    def start(self) -> None:
        """Begin, once the children of the killed one are gone."""
        self.process = start_server(self.folder)
        wait_for_server(self.server, self.process, self.folder / "log")

    def kill(self) -> None:
        """All of it at once, as when the machine runs out of memory."""
        kill_family(self.process.pid)
        self.process.wait()

    def close(self) -> None:
        """End it, and remove its data."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def kill_family(pid: int) -> None:
    """SIGKILL to a process and to what it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)


def policy_file(folder: Path) -> Path:
    """The shipped policy, with more freedom for the machine: all three routes are taken."""
    text = DEFAULT.read_text()
    for before, after in (
        ("enforce = false", "enforce = true"),
        ("alpha_allow = 0.02", "alpha_allow = 0.1"),
        ("alpha_enforce = 0.01", "alpha_enforce = 0.1"),
        ('name = "default"', 'name = "chaos"'),
    ):
        assert before in text
        text = text.replace(before, after)
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def calibrators(folder: Path) -> Path:
    """Fitted on made-up labels, for the judge that the processes load."""
    path = folder / "calibrators"
    calibrator(build_context(Settings.load(), Mode.FAST).judge_id).artefact.write(path)
    return path


class Parts:
    """The running deployment. `kill` takes a part down, and starts it again."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres()
        self.engine: Engine = open_engine(self.postgres.url)
        upgrade(self.engine)
        self.service = ServiceProcesses(
            folder,
            self.postgres.url,
            policy=policy_file(folder),
            calibrators=calibrators(folder),
            lease_seconds=3,
            sweep_seconds=1,
            requests_a_second=10_000,
            requests_at_once=10_000,
        )
        self.port = free_port()
        one = ("--concurrency", "1")
        self._commands: dict[Target, Callable[[], subprocess.Popen[bytes]]] = {
            Target.REDIS: self.service.start_redis,
            Target.API: lambda: self.service.start("serve", "--port", str(self.port)),
            Target.WORKER: lambda: self.service.start("worker", "--queues", "score", *one),
            Target.EXPLAINER: lambda: self.service.start("worker", "--queues", "explain", *one),
            Target.MAINTENANCE: lambda: self.service.start(
                "worker", "--queues", "maintenance", *one
            ),
            Target.BEAT: lambda: self.service.start("beat"),
        }
        self._running = {target: start() for target, start in self._commands.items()}

    def kill(self, target: Target) -> bool:
        """Whether there was something to kill."""
        if target is Target.POSTGRES:
            self.postgres.kill()
            self.postgres.start()
        elif target in (Target.POOL_PROCESS, Target.DECODER):
            return self._kill_below(target)
        else:
            process = self._running[target]
            process.kill()
            process.wait()
            self._running[target] = self._commands[target]()
        return True

    def _kill_below(self, target: Target) -> bool:
        """A pool process of the worker for scores, or one of what decodes for it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            pools = psutil.Process(self._running[Target.WORKER].pid).children()
            decoders = [below for pool in pools for below in pool.children(recursive=True)]
            for one in pools if target is Target.POOL_PROCESS else reversed(decoders):
                one.kill()
                return True
        return False

    def revive(self) -> list[Target]:
        """Start parts again that ended by themselves, as a service manager does; which ones.

        A worker ends with an error if its pool's first process is killed while it starts.
        """
        ended = [target for target, one in self._running.items() if one.poll() is not None]
        for target in ended:
            self._running[target] = self._commands[target]()
        return ended

    def is_listening(self) -> bool:
        """Whether the API takes requests."""
        with socket.socket() as channel:
            return channel.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until_up(self) -> None:
        """Until the API takes requests."""
        until(self.is_listening)

    def close(self) -> None:
        """End all of it."""
        try:
            self.service.stop()
        finally:
            self.engine.dispose()
            self.postgres.close()


def processes_in(folder: Path) -> list[int]:
    """Processes of this machine that a deployment of this folder left."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            given = process.environ().get("MODERATION_DATA_DIR", "")
            if given.startswith(str(folder)) and process.pid != os.getpid():
                found.append(process.pid)
    return found
