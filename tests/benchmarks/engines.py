"""Batches by engine: local, Celery with one and two worker processes, Ray where it is installed.

    python -m tests.benchmarks.engines [--files 96] [--engines local celery-1 celery-2 ray]

Different files of each kind, scored by the starter judge in fast mode, without a feature cache.
Every engine has the same list: its first rows load the models and are not timed. On one machine the
engines share its cores, so that what is shown is what each costs beside `local`, not how it scales.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from moderation.app import build_batch_engine
from moderation.settings import Settings
from moderation.types import Mode
from tests.benchmarks.media import write_media
from tests.service_processes import service_processes

WARM = 32
ENGINES = ("local", "celery-1", "celery-2", "ray")


@contextmanager
def settings_of(engine: str, folder: Path) -> Iterator[Settings]:
    """With a broker and as many workers as the name says, while they are needed."""
    name, _, processes = engine.partition("-")
    if name != "celery":
        yield Settings.load(dispatcher=name, feature_cache_bytes=0)
        return
    shared = {"dispatcher": "local", "feature_cache_bytes": 0}
    with service_processes(folder, f"sqlite:///{folder}/none", **shared) as started:
        started.environment.pop("OMP_NUM_THREADS")  # as many as `local` has, shared among them
        started.start_redis()
        started.start("worker", "--queues", "batch", "--concurrency", processes)
        yield Settings.load(dispatcher=name, feature_cache_bytes=0, broker_url=started.broker_url)


def items_per_second(settings: Settings, files: Sequence[Path]) -> float:
    """Of the rows after the first `WARM`."""
    began = 0.0
    with build_batch_engine(settings) as engine:
        for number, result in enumerate(engine.score(files, Mode.FAST)):
            assert result.judgment is not None, result
            if number == WARM - 1:
                began = time.perf_counter()
    return (len(files) - WARM) / (time.perf_counter() - began)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=96)
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES)
    given = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("MODERATION_")]:
        print(f"{name} is set, and counts")
    with tempfile.TemporaryDirectory(prefix="engines-") as name:
        files = write_media(Path(name) / "media", WARM + given.files)
        found: dict[str, float] = {}
        for engine in given.engines:
            if engine == "ray" and find_spec("ray") is None:
                continue
            with settings_of(engine, Path(name) / engine) as settings:
                found[engine] = items_per_second(settings, files)
    first = next(iter(found.values()))
    told = {
        engine: {"items_per_second": round(rate, 2), "ratio": round(rate / first, 2)}
        for engine, rate in found.items()
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
