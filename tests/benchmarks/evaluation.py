"""Part of `make bench`: every metric of 10,000 scored items with 1,000 bootstrap draws.

    python -m tests.benchmarks.evaluation [--items 10000] [--draws 1000] [--out FILE.json]

Seconds and peak memory of two judges with their slices and paired differences, beside what the
AUC alone costs in a loop over resampled items. Each part runs in a process of its own.
"""

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from encoders.types import Modality
from moderation.results import RunContext
from moderation.types import ItemResult, Judgment, Mode

SOURCES = 500
LOOPS = 20


def labelled(items: int) -> list[dict[str, Any]]:
    """Rows of a manifest: three modalities, ten recipes, four test splits."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(items):
        is_manipulated = bool(rng.random() < 0.6)
        recipe = f"recipe-{rng.integers(10)}" if is_manipulated else "genuine"
        rows.append(
            {
                "path": f"{k}",
                "file": Path(f"/{k}"),
                "sha256": f"{k:064x}",
                "modality": ("audio", "image", "video")[k % 3],
                "y": float(rng.uniform(0, 9)) if is_manipulated else 9.0,
                "is_manipulated": is_manipulated,
                "recipe": recipe,
                "generator": recipe if is_manipulated else "",
                "source": f"source-{rng.integers(SOURCES)}",
                "split": f"test-{k % 4}",
            }
        )
    return rows


def results(rows: list[dict[str, Any]], seed: int) -> list[ItemResult]:
    """A judge's answers: a digit distribution around the label, with noise."""
    rng = np.random.default_rng(seed)
    y_N = np.array([row["y"] for row in rows])
    centre_N = np.clip(np.rint(y_N + rng.normal(0, 2.5, y_N.size)), 0, 9).astype(int)
    digit_NK = 0.5 * rng.dirichlet(np.ones(10), y_N.size) + 0.5 * np.eye(10)[centre_N]
    score_N = digit_NK @ np.arange(10)
    return [
        ItemResult(
            str(row["file"]),
            row["sha256"],
            Modality(row["modality"]),
            1.0,
            Judgment(tuple(digit_K.tolist()), 1.0, float(score), Mode.FAST, f"judge-{seed}"),
            None,
        )
        for row, digit_K, score in zip(rows, digit_NK, score_N, strict=True)
    ]


def vectorised(items: int, draws: int) -> dict[str, float]:
    """Seconds and memory of the whole evaluation of two judges."""
    from rl.evaluation.evaluation import evaluate_scores
    from rl.evaluation.scores import Scores

    rows = labelled(items)
    scores = []
    for seed in (0, 1):
        answers = results(rows, seed)
        # Recorded probabilities: calibration metrics are part of the work.
        given = {r.path: 1 - r.judgment.expected_score / 9 for r in answers if r.judgment}
        scores.append(Scores(RunContext(Mode.FAST, f"judge-{seed}"), tuple(answers), given))
    before = _peak_mib()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    evaluation = evaluate_scores(rows, scores, draws=draws)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    first = evaluation.judges[0]
    return {
        "judges": 2,
        "metrics": len(first.measured.value),
        "slices": sum(part.measured is not None for part in first.slices),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mib_more_than_before": _peak_mib() - before,
    }


def looped(items: int, draws: int) -> dict[str, float]:
    """Seconds that the AUC of one judge alone takes in a loop, from a few draws."""
    from sklearn.metrics import roc_auc_score

    rows = labelled(items)
    score_N = np.array([r.judgment.expected_score for r in results(rows, 0) if r.judgment])
    truth_N = np.array([row["is_manipulated"] for row in rows])
    source_N = np.unique([row["source"] for row in rows], return_inverse=True)[1]
    members = [np.flatnonzero(source_N == k) for k in range(int(source_N.max()) + 1)]
    rng = np.random.default_rng(0)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for _ in range(LOOPS):
        chosen = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        roc_auc_score(truth_N[chosen], -score_N[chosen])
    return {
        "seconds": (time.perf_counter() - begin) / LOOPS * draws,
        "cpu_seconds": (time.process_time() - begin_cpu) / LOOPS * draws,
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(part: Callable[[int, int], dict[str, float]], items: int, draws: int) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(part, (items, draws))


def main() -> None:
    """Run and print; `--out` also writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    report = {
        "items": options.items,
        "draws": options.draws,
        "everything": _alone(vectorised, options.items, options.draws),
        "auc_in_a_loop": _alone(looped, options.items, options.draws),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
