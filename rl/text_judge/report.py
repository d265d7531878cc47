"""The table of a text-judge run: a row a method and benchmark, over all seeds."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from moderation.types import LEVELS_K
from rl.ablation.resampling import pooled_over_seeds
from rl.evaluation.measurement import Measured, paired_differences
from rl.text_judge.figures import measured
from rl.text_judge.running import FinishedTextRow, TextRun

REPORT = "report.json"


def report(run: TextRun, rows: Sequence[FinishedTextRow], *, draws: int = 1000) -> dict[str, Any]:
    """benchmark -> rows, and the paired differences of the last row to each of the others."""
    found: dict[str, Any] = {}
    for benchmark, items in run.test.items():
        pooled: dict[str, Measured] = {}
        for row in run.recipe.rows:
            by_seed = {
                one.seed: measured(
                    items, np.asarray(one.p[benchmark]) @ np.arange(LEVELS_K), draws=draws
                )
                for one in rows
                if one.row == row.name
            }
            pooled[row.name] = pooled_over_seeds(by_seed, sorted(by_seed), draws=draws)
        last = run.recipe.rows[-1].name
        found[benchmark] = {
            "items": len(items),
            "questions": len({item.question for item in items}),
            "rows": {
                name: {figure: asdict(value) for figure, value in one.estimates.items()}
                | {"whole": _mean([r.whole[benchmark] for r in rows if r.row == name])}
                for name, one in pooled.items()
            },
            "differences": {
                f"{last} less {name}": {
                    figure: asdict(value)
                    for figure, value in paired_differences(pooled[last], one).items()
                }
                for name, one in pooled.items()
                if name != last
            },
        }
    return found


def write_report(run: TextRun, rows: Sequence[FinishedTextRow]) -> dict[str, Any]:
    """The report, also in OUT/report.json."""
    found = report(run, rows)
    text = json.dumps(found, indent=1).replace("NaN", "null")
    (run.out / REPORT).write_text(text + "\n", encoding="utf-8")
    return found


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
