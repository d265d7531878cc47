"""`make bench`: throughput against a naive scorer and against the sum of the stages alone.

    python -m tests.benchmarks [--items 48] [--soak 1000] [--out FILE.json]

Ratios are taken in one run on one machine; absolute figures are only its context.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from encoders.base import ReadLimits, ReadRequest
from encoders.readers import read
from encoders.sampling import Uniform
from moderation.app import build_dispatcher, build_extractor, build_judge, build_sandbox
from moderation.extraction import Extractor
from moderation.pipeline import ScoringPipeline
from moderation.settings import Settings
from moderation.types import Mode
from tests.benchmarks.media import write_media
from tests.benchmarks.naive import NaiveScorer


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def floor_seconds(
    extractor: Extractor, judge: Any, paths: Sequence[Path], mode: Mode, workers: int
) -> dict[str, float]:
    """Each stage alone over all items, at the best of a few batch sizes."""
    stages: dict[str, float] = {}
    begin = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        media = list(pool.map(extractor.decode, paths))
    stages["decode"] = time.perf_counter() - begin
    for encoder in extractor.encoders:
        stages[encoder.name] = min(
            seconds(lambda e=encoder, n=n: [e.encode(part) for part in _parts(media, n)])
            for n in (8, 32)
        )
    features = [item for part in _parts(media, 16) for item in extractor.encode(part)]
    stages["judge"] = min(
        seconds(lambda n=n: [judge.judge(part, mode) for part in _parts(features, n)])
        for n in (8, 32)
    )
    return stages


def throughput(paths: Sequence[Path], naive_items: int) -> dict[str, Any]:
    """Items a second in both modes: ours, naive, and the stages' floor."""
    settings = Settings.load(feature_cache_bytes=0)
    report: dict[str, Any] = {"items": len(paths)}
    with build_sandbox(settings) as sandbox:
        extractor, judge = build_extractor(settings, sandbox), build_judge(settings)
        pipeline = ScoringPipeline(extractor, judge)
        naive = NaiveScorer(settings, extractor)
        list(pipeline.score(paths[:6], Mode.FULL))
        naive.score(paths[:3], Mode.FULL)
        for mode in Mode:
            ours = seconds(lambda mode=mode: list(pipeline.score(paths, mode))) / len(paths)
            slow = seconds(lambda mode=mode: naive.score(paths[:naive_items], mode)) / naive_items
            stages = floor_seconds(extractor, judge, paths, mode, pipeline.workers)
            floor = sum(stages.values()) / len(paths)
            report[mode.value] = {
                "items_per_second": 1 / ours,
                "naive_items_per_second": 1 / slow,
                "times_naive": slow / ours,
                "share_of_floor": floor / ours,
                "stage_seconds_per_item": {k: v / len(paths) for k, v in stages.items()},
            }
    report["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return report


def soak(paths: Sequence[Path]) -> dict[str, float]:
    """Resident memory after 100 items and at the end, in MiB."""
    process = psutil.Process()
    seen: list[float] = []
    with build_dispatcher(Settings.load(feature_cache_bytes=0)) as dispatcher:
        for _ in dispatcher.score(paths, Mode.FAST):
            seen.append(process.memory_info().rss / 2**20)
    after = statistics.median(seen[90:110])
    return {
        "items": len(paths),
        "mib_after_100": after,
        "mib_at_end": statistics.median(seen[-20:]),
        "growth": statistics.median(seen[-20:]) / after - 1,
    }


def decoders(path: Path) -> dict[str, float]:
    """Milliseconds for 16 frames and the sound, median of 9, in this process."""
    request, limits = ReadRequest(Uniform()), ReadLimits()
    return {
        name: 1000
        * statistics.median(
            seconds(lambda n=name: read(str(path), request, limits, readers=(n,))) for _ in range(9)
        )
        for name in ("decord", "pyav")
    }


def main() -> None:
    """Run and print; `--out` also writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=48)
    parser.add_argument("--soak", type=int, default=0, help="items of the memory test")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_media(Path(folder), max(options.items, options.soak))
        report = throughput(paths[: options.items], min(options.items, 24))
        video = next(path for path in paths if path.suffix == ".mp4")
        report["decode_16_frames_ms"] = decoders(video)
        if options.soak:
            report["soak"] = soak(paths[: options.soak])
    text = json.dumps(report, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def _parts(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


if __name__ == "__main__":
    main()
