"""`make bench`: throughput against a naive scorer and against the sum of the stages alone.

    python -m tests.benchmarks [--items 48] [--naive-items 12] [--rounds 3] [--soak 1000] [--out F]

Ours, the naive scorer and the stages take turns, so that a slow spell of the machine meets all of
them. Ratios are medians over the rounds; absolute figures are only their context.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.base import ReadLimits, ReadRequest
from encoders.readers import read
from encoders.sampling import Uniform
from moderation.closing import Closing
from moderation.types import Mode
from tests.benchmarks.media import write_media
from tests.benchmarks.worker import seconds


class Worker(Closing):
    """A scorer process; leaving the context ends it."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.worker", kind]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.peak_mib = 0.0

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def ask(self, what: str, paths: Sequence[Path], mode: Mode) -> dict[str, Any]:
        """Its answer; `peak_mib` is kept here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"what": what, "paths": [str(p) for p in paths], "mode": mode.value}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.peak_mib = answer.pop("peak_mib")
        return answer


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds an item of one round. stages: of each stage alone; `judge_<mode>` for either mode."""

    ours: dict[str, float]
    naive: dict[str, float]
    stages: dict[str, float]

    def floor(self, mode: Mode) -> float:
        """The sum of the stages that a mode runs through."""
        others = sum(v for name, v in self.stages.items() if not name.startswith("judge_"))
        return others + self.stages[f"judge_{mode.value}"]


def take_turns(
    ours: Worker, naive: Worker, paths: Sequence[Path], naive_items: int, rounds: int
) -> Iterator[Turn]:
    """Rounds after a warm-up."""
    few = paths[:naive_items]
    for mode in Mode:
        ours.ask("score", paths[:6], mode)
        naive.ask("score", paths[:3], mode)
    for _ in range(rounds):
        mine, slow = {}, {}
        for mode in Mode:
            mine[mode.value] = ours.ask("score", paths, mode)["seconds"] / len(paths)
            slow[mode.value] = naive.ask("score", few, mode)["seconds"] / len(few)
        stages = ours.ask("stages", paths, Mode.FAST)
        yield Turn(mine, slow, {name: value / len(paths) for name, value in stages.items()})


def throughput(turns: Sequence[Turn], mode: Mode) -> dict[str, float]:
    """Items a second, how many times the naive way, and which share of the stages' floor."""
    name = mode.value
    return {
        "items_per_second": 1 / statistics.median(turn.ours[name] for turn in turns),
        "naive_items_per_second": 1 / statistics.median(turn.naive[name] for turn in turns),
        "times_naive": statistics.median(turn.naive[name] / turn.ours[name] for turn in turns),
        "share_of_floor": statistics.median(turn.floor(mode) / turn.ours[name] for turn in turns),
    }


def soak(ours: Worker, paths: Sequence[Path]) -> dict[str, float]:
    """Resident memory after 100 items and at the end, in MiB."""
    seen: list[float] = ours.ask("memory", paths, Mode.FAST)["mib"]
    after, end = statistics.median(seen[90:110]), statistics.median(seen[-20:])
    return {
        "items": len(paths),
        "mib_after_100": after,
        "mib_at_end": end,
        "growth": end / after - 1,
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
    """Print each part as it ends; `--out` also writes all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=48)
    parser.add_argument("--naive-items", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0, help="items of the memory test")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    report: dict[str, Any] = {"items": options.items, "naive_items": options.naive_items}

    def add(name: str, part: Any) -> None:
        report[name] = part
        print(f"{name}: {json.dumps(part, indent=1)}", flush=True)
        if options.out:
            options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    with tempfile.TemporaryDirectory() as folder:
        paths = write_media(Path(folder), max(options.items, options.soak))
        items, few = paths[: options.items], min(options.items, options.naive_items)
        add("decode_16_frames_ms", decoders(next(p for p in paths if p.suffix == ".mp4")))
        with Worker("ours") as ours, Worker("naive") as naive:
            turns: list[Turn] = []
            for turn in take_turns(ours, naive, items, few, options.rounds):
                turns.append(turn)
                add("rounds", len(turns))
                for mode in Mode:
                    add(mode.value, throughput(turns, mode))
            stages = {
                name: 1000 * statistics.median(turn.stages[name] for turn in turns)
                for name in turns[0].stages
            }
            add("stage_milliseconds_per_item", stages)
            add("peak_memory_mib", {"ours": ours.peak_mib, "naive": naive.peak_mib})
        if options.soak:
            with Worker("ours") as fresh:
                add("soak", soak(fresh, paths[: options.soak]))


if __name__ == "__main__":
    main()
