"""Triage of recorded scores against a bare loop that only reads them.

    python -m tests.benchmarks.triage [--items 100000] [--rounds 3] [--out FILE.json]

A CSV file with a probability a row is read in both cases. `triage`: items are parsed and routed,
with copies and samples. `replay`: against another policy as well. Ratios are medians over rounds.
"""

import argparse
import csv
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from moderation.policy.loading import default_policy
from moderation.replay.recorded import read_recorded
from moderation.replay.replaying import Conditions, changes, load_of, replay
from moderation.triage.shadow import Deployed
from moderation.types import RouteBounds

COLUMNS = ("path", "sha256", "status", "score", "modality", "probability", "is_manipulated")
DEPLOYED = Deployed(default_policy(), RouteBounds(0.02, 0.95))
OTHER = Deployed(default_policy(), RouteBounds(0.05, 0.9))


def write_scores(path: Path, items: int) -> None:
    """A tenth of the files are copies, a hundredth have no score."""
    rng = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for k in range(items):
            p = float(rng.beta(0.3, 2.0))
            is_scored = rng.random() > 0.01
            writer.writerow(
                (
                    f"folder/{k}.jpg",
                    f"{int(rng.integers(items * 5)):064x}",
                    "scored" if is_scored else "failed",
                    9 * (1 - p),
                    ("image", "audio", "video")[k % 3],
                    p if is_scored else "",
                    str(bool(rng.random() < p)),
                )
            )


def read_only(path: Path) -> None:
    """The floor: every row as a dictionary, and its probability as a number."""
    total = 0.0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            total += float(row["probability"] or 0.0)


def triage_all(path: Path) -> None:
    """Read, route and sum up."""
    items = read_recorded(path, surface="feed", views=1000.0)
    load_of(items, replay(items, DEPLOYED, Conditions()), 0.1)


def replay_against(path: Path) -> None:
    """The same with two policies, and their differences."""
    items = read_recorded(path, surface="feed", views=1000.0)
    first, second = (replay(items, one, Conditions()) for one in (DEPLOYED, OTHER))
    changes(items, first, second)


def cpu_seconds(work: Callable[[Path], None], path: Path) -> dict[str, float]:
    """Of one call: time on the clock, and of the processor."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    work(path)
    return {
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - begin_cpu,
    }


def main() -> None:
    """Run and print; `--out` also writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = {"read": read_only, "triage": triage_all, "replay": replay_against}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in parts}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.csv"
        write_scores(path, options.items)
        for _ in range(options.rounds):
            for name, work in parts.items():
                rounds[name].append(cpu_seconds(work, path))
    report: dict[str, Any] = {"items": options.items, "rounds": options.rounds}
    for name, measured in rounds.items():
        report[name] = {
            key: statistics.median(one[key] for one in measured)
            for key in ("seconds", "cpu_seconds")
        } | {
            "times_reading": statistics.median(
                one["cpu_seconds"] / base["cpu_seconds"]
                for one, base in zip(measured, rounds["read"], strict=True)
            )
        }
    text = json.dumps(report, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
