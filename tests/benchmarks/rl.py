"""RealTrainer's step against TRL's, and generation with shared prompts against TRL's own.

    python -m tests.benchmarks.rl [--layers 6] [--prompts 1] [--rounds 3] [--out FILE.json]

The first layers of the starter's language model, in bfloat16, with a LoRA adapter in the steps.
Both trainers have the same options and take the same rollouts: G = 8 ledgers of each prompt of
about 200 tokens. Each trainer has its own process, whose peak of resident memory is read at the
end. The two sides take turns; ratios are medians over the rounds after a first that warms up.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.rl_worker import Size, run_generation, run_steps, write_rollouts


@contextmanager
def process(work: Callable[..., None], *arguments: Any) -> Iterator[Any]:
    """The pipe to `work`, which runs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=work, args=(theirs, *arguments))
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        child.join()


def steps(size: Size, rounds: int) -> dict[str, Any]:
    """Seconds of a step and peak memory of either trainer, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rollouts.pt")
        with process(write_rollouts, size, path) as maker:
            report: dict[str, Any] = maker.recv()
        settings = (size, path, rounds + 1)
        with (
            process(run_steps, *settings, True) as ours,
            process(run_steps, *settings, False) as trl,
        ):
            taken = [(_turn(ours), _turn(trl)) for _ in range(rounds + 1)][1:]
            memory = {"ours": ours.recv(), "trl": trl.recv()}
    mine, other = zip(*taken, strict=True)
    return report | {
        "step_seconds": statistics.median(mine),
        "trl_step_seconds": statistics.median(other),
        "times_trl_time": statistics.median(a / b for a, b in taken),
        "times_trl_memory": memory["ours"]["peak_mib"] / memory["trl"]["peak_mib"],
        "memory": memory,
    }


def generation(size: Size, rounds: int) -> dict[str, Any]:
    """Tokens a second of either way, and the ratio."""
    rates: list[tuple[float, float]] = []
    tokens: list[int] = []
    with process(run_generation, size) as worker:
        for seed in range(rounds + 1):
            made = []
            for way in ("shared", "trl"):
                worker.send((way, seed))
                made.append(worker.recv())
            tokens += [one["tokens"] for one in made]
            rates.append((_rate(made[0]), _rate(made[1])))
        worker.send(None)
    mine, other = zip(*rates[1:], strict=True)
    return {
        "tokens_per_second": statistics.median(mine),
        "trl_tokens_per_second": statistics.median(other),
        "times_trl": statistics.median(a / b for a, b in rates[1:]),
        "tokens_a_rollout": statistics.mean(tokens) / size.rows,
    }


def _turn(worker: Any) -> float:
    worker.send(None)
    return float(worker.recv())


def _rate(made: dict[str, float]) -> float:
    return made["tokens"] / made["seconds"]


def main() -> None:
    """Print each part as it ends; `--out` also writes all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=6, help="of the backbone's 30")
    parser.add_argument("--prompts", type=int, default=1, help="groups of G = 8 rollouts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens-max", type=int, default=96)
    parser.add_argument("--part", choices=("steps", "generation"), action="append")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    size = Size(
        layers=options.layers, prompts=options.prompts, rollouts=8, tokens_max=options.tokens_max
    )
    report: dict[str, Any] = {
        name: getattr(options, name) for name in ("layers", "prompts", "rounds")
    }
    for name, part in (("steps", steps), ("generation", generation)):
        if options.part and name not in options.part:
            continue
        before = os.getloadavg()[0]
        report[name] = part(size, options.rounds) | {"load_before": before}
        print(f"{name}: {json.dumps(report[name], indent=1)}", flush=True)
        if options.out:
            options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
