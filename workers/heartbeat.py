"""Signs of life of pool processes, in files: a parent that answers says nothing of its children."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BEAT_SECONDS = 5.0
AGE_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What one pool process said last. busy_seconds: for how long it has been at one task then."""

    queue: str
    pid: int
    age_seconds: float
    busy_seconds: float

    def is_well(self, *, age_seconds_max: float, task_seconds_max: float) -> bool:
        """Whether it lives, and gets on with its work."""
        return self.age_seconds <= age_seconds_max and self.busy_seconds <= task_seconds_max


class Heart:
    """Writes the file of this process, at once and every few seconds, until it is closed."""

    def __init__(self, folder: Path, queue: str, *, seconds: float = BEAT_SECONDS) -> None:
        self._path = folder / f"{queue}.{os.getpid()}.json"
        self._queue = queue
        self._seconds = seconds
        self._busy_since: float | None = None
        self._is_over = threading.Event()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in _files(folder):
            # Of processes that were killed; the number may be in use again, by a stranger.
            if _pid(old) == os.getpid() or not _exists(_pid(old)):
                old.unlink(missing_ok=True)
        self._beat()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    @contextmanager
    def working(self) -> Iterator[None]:
        """What lasts for this long is one task."""
        self._busy_since = time.monotonic()
        try:
            yield
        finally:
            self._busy_since = None

    def close(self) -> None:
        """The process ends in order."""
        self._is_over.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._is_over.wait(self._seconds):
            with suppress(OSError):
                self._beat()

    def _beat(self) -> None:
        since = self._busy_since
        said = {
            "queue": self._queue,
            "pid": os.getpid(),
            "busy_seconds": 0.0 if since is None else time.monotonic() - since,
        }
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(said))
        partial.replace(self._path)


def heartbeats(folder: Path) -> list[Heartbeat]:
    """Of all pool processes of this machine that wrote one and did not end in order."""
    found = []
    for path in _files(folder):
        try:
            said = json.loads(path.read_text())
            age = max(time.time() - path.stat().st_mtime, 0.0)
            found.append(Heartbeat(said["queue"], said["pid"], age, said["busy_seconds"]))
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found, key=lambda one: (one.queue, one.pid))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _pid(path: Path) -> int:
    number = path.name.split(".")[-2]
    return int(number) if number.isdecimal() else 0


def _exists(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
