"""From the finished runs of a folder to the table and the pictures, in `report`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from moderation.atomic import write_bytes
from moderation.calibration.draws import Floats
from moderation.calibration.estimate import Estimate
from moderation.cli.chapters.section import as_json
from rl.ablation.curves import Curve, read_curve, smoothed
from rl.ablation.pictures import (
    learning_curves,
    predicted_against_true,
    reward_curves,
    score_histograms,
    weight_sweep,
)
from rl.ablation.plan import AblationPlan, RowPlan
from rl.ablation.predictions import read_predictions
from rl.ablation.run_log import FinishedRun, RunLog
from rl.ablation.table import AblationTable, RowRuns, build_table
from rl.ablation.training import stage_places
from rl.ablation.wording import markdown
from rl.stages.schema import RolloutsStage
from rl.stages.stage_log import LOG

FOLDER = "report"
# Figure in the logs -> its name, and how many logged steps are averaged.
VALIDATED = {
    "eval_spearman": ("Spearman, validation", 1),
    "eval_mae": ("mean absolute error, validation", 1),
}
OF_ROLLOUTS = {
    **VALIDATED,
    "real/squared_error": ("squared error of rollouts, mean of 10 steps", 10),
}
REWARD = {"reward": ("reward", 10)}
SWEPT = ("spearman", "mae", "crps", "wasserstein")


def finished_rows(plan: AblationPlan, out: Path) -> list[RowRuns]:
    """The rows that have a finished run, in the recipe's order, detectors last.

    Raises:
        ManifestError: a file of the folder cannot be read.
    """
    finished = RunLog(out).read()
    labels = {row.name: row.label for row in plan.rows}
    found = []
    for name in plan.names:
        runs = [one for one in finished if one.row == name]
        if runs:
            has_seeds = name not in plan.recipe.detectors
            found.append(_row_runs(runs, out, labels.get(name, name), has_seeds=has_seeds))
    return found


def report_table(plan: AblationPlan, rows: Sequence[RowRuns], *, draws: int) -> AblationTable:
    """The table of what is finished.

    Raises:
        ConfigurationError: nothing is finished.
    """
    reference = next(row.label for row in plan.rows if row.name == plan.recipe.reference)
    return build_table(rows, plan.recipe.splits, reference=reference, draws=draws)


def write_report(
    plan: AblationPlan, rows: Sequence[RowRuns], table: AblationTable, out: Path
) -> Path:
    """Write table.md, table.json and the pictures; returns their folder."""
    folder = out / FOLDER
    text = json.dumps(as_json(table), indent=1, sort_keys=True, allow_nan=False)
    write_bytes(folder / "table.json", (text + "\n").encode())
    write_bytes(folder / "table.md", markdown(table).encode())
    swept_only = {row.label for row in plan.rows} - {
        row.label or row.name for row in plan.recipe.rows
    }
    shown = [row for row in rows if row.name not in swept_only]
    for split in plan.recipe.splits:
        y_N = next(iter(rows[0].predictions.values()))[split].items.y_N
        scores = {row.name: _scores(row, split) for row in shown}
        predicted_against_true(folder / f"predicted-{split}", scores, y_N)
        score_histograms(folder / f"histograms-{split}", scores, y_N)
    finished = RunLog(out).read()
    of_rollouts = [r for r in plan.rows if r.stages and isinstance(r.stages[-1], RolloutsStage)]
    others = [row for row in plan.rows if row.stages and row not in of_rollouts]
    for name, chosen, figures in (
        ("learning-curves", of_rollouts, OF_ROLLOUTS),
        ("warm-up-curves", others, VALIDATED),
    ):
        curves = _curves(plan, chosen, out, finished, figures)
        if curves:
            learning_curves(folder / name, curves)
    for by_row in _curves(plan, of_rollouts, out, finished, REWARD).values():
        reward_curves(folder / "reward-curves", by_row)
    sweep = _sweep(plan, table)
    if any(len(by_weight) > 1 for by_weight in sweep.values()):
        weight_sweep(folder / "refinement-weight", SWEPT, sweep)
    return folder


def _row_runs(
    finished: Sequence[FinishedRun], out: Path, label: str, *, has_seeds: bool
) -> RowRuns:
    return RowRuns(
        label,
        finished[0].mode,
        {one.seed: read_predictions(out / one.predictions) for one in finished},
        has_seeds=has_seeds,
        generated_tokens=float(np.mean([one.generated_tokens for one in finished])),
        steps=float(np.mean([one.steps for one in finished])),
        wall_seconds=float(np.mean([one.wall_seconds for one in finished])),
    )


def _scores(row: RowRuns, split: str) -> Floats:
    """Of all seeds, one after the other."""
    return np.concatenate([found[split].items.score_N for found in row.predictions.values()])


def _curves(
    plan: AblationPlan,
    rows: Sequence[RowPlan],
    out: Path,
    finished: Sequence[FinishedRun],
    figures: Mapping[str, tuple[str, int]],
) -> dict[str, dict[str, Curve]]:
    """Name of the figure -> label of the row -> curve of the row's last stage.

    Rows that share their last stage have one curve, under the first one's name.
    """
    found: dict[str, dict[str, Curve]] = {}
    logs_of: dict[str, list[Path]] = {}
    for row in rows:
        seeds = sorted(one.seed for one in finished if one.row == row.name)
        logs = [stage_places(plan, row, out, seed)[-1][1] / LOG for seed in seeds]
        if logs and logs not in logs_of.values():
            logs_of[row.name] = logs
    for name, (title, window) in figures.items():
        for row in rows:
            curve = read_curve(logs_of[row.name], name) if row.name in logs_of else None
            if curve is not None:
                found.setdefault(title, {})[row.label] = smoothed(curve, window)
    return found


def _sweep(
    plan: AblationPlan, table: AblationTable
) -> dict[str, dict[float, Mapping[str, Estimate]]]:
    """Split -> refinement weight -> figure -> estimate."""
    points = {row.label: row.refinement_weight for row in plan.rows}
    return {
        split: {
            weight: row.splits[split]
            for row in table.rows
            if (weight := points.get(row.name)) is not None
        }
        for split in table.items
    }
