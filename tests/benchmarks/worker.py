"""A scorer in a process of its own, so that its memory is its own. Driven by lines of JSON."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from moderation.app import build_extractor, build_judge, build_sandbox
from moderation.extraction import Extractor
from moderation.pipeline import ScoringPipeline
from moderation.settings import Settings
from moderation.types import Mode
from tests.benchmarks.naive import NaiveScorer

BATCH_ITEMS = 16


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def stage_seconds(
    extractor: Extractor, judge: Any, paths: Sequence[Path], workers: int
) -> dict[str, float]:
    """Seconds of each stage alone over all items, in the batches that the pipeline uses."""
    media: list[Any] = []

    def decode() -> None:
        with ThreadPoolExecutor(workers) as pool:
            media[:] = pool.map(extractor.decode, paths)

    stages = {"decode": seconds(decode)}
    for encoder in extractor.encoders:
        stages[encoder.name] = seconds(
            lambda e=encoder: [e.encode(part) for part in _parts(media, BATCH_ITEMS)]
        )
    features = [item for part in _parts(media, BATCH_ITEMS) for item in extractor.encode(part)]
    for mode in Mode:
        stages[f"judge_{mode.value}"] = seconds(
            lambda m=mode: [judge.judge(part, m) for part in _parts(features, BATCH_ITEMS)]
        )
    return stages


def main() -> None:
    """`python -m tests.benchmarks.worker ours|naive`; one answer a line."""
    kind = sys.argv[1]
    settings = Settings.load(feature_cache_bytes=0)
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox)
        if kind == "naive":
            naive = NaiveScorer(settings, extractor)
        else:
            judge = build_judge(settings)
            pipeline = ScoringPipeline(extractor, judge)
        for line in sys.stdin:
            order = json.loads(line)
            paths, mode = [Path(p) for p in order["paths"]], Mode(order["mode"])
            answer: dict[str, Any]
            if kind == "naive":
                answer = {"seconds": seconds(lambda p=paths, m=mode: naive.score(p, m))}
            elif order["what"] == "stages":
                answer = stage_seconds(extractor, judge, paths, pipeline.workers)
            elif order["what"] == "memory":
                answer = {"mib": [_mib() for _ in pipeline.score(paths, mode)]}
            else:
                answer = {"seconds": seconds(lambda p=paths, m=mode: list(pipeline.score(p, m)))}
            print(json.dumps(answer | {"peak_mib": _peak_mib()}), flush=True)


def _mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _parts(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


if __name__ == "__main__":
    main()
