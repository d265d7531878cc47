"""Runs to a table: means over seeds, intervals over sources and seeds, paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Draws
from moderation.calibration.estimate import Difference, Estimate
from moderation.errors import ConfigurationError
from moderation.types import Mode
from rl.ablation.calibrated import platt, with_probabilities
from rl.ablation.figures import FIGURES, ablation_measures
from rl.ablation.predictions import PredictedItems
from rl.ablation.resampling import pooled_over_seeds
from rl.evaluation.measurement import Measured, draws_of, measure, paired_differences

CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True, eq=False)
class RowRuns:
    """The finished runs of one row.

    predictions: seed -> split -> items. has_seeds: False for a row that no seed changes, which has
    one run. generated_tokens, wall_seconds: means over runs.
    """

    name: str
    mode: Mode
    predictions: Mapping[int, Mapping[str, PredictedItems]]
    has_seeds: bool = True
    generated_tokens: float = 0.0
    steps: float = 0.0
    wall_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TableRow:
    """splits: split -> figure -> estimate. differences: the same, this row less the reference,
    over the seeds that both have; empty for the reference itself."""

    name: str
    mode: Mode
    seeds: tuple[int, ...]
    generated_tokens: float
    steps: float
    wall_seconds: float
    splits: Mapping[str, Mapping[str, Estimate]]
    differences: Mapping[str, Mapping[str, Difference]]


@dataclass(frozen=True, slots=True)
class AblationTable:
    """items: split -> how many. sources: split -> of how many sources."""

    reference: str
    rows: tuple[TableRow, ...]
    items: Mapping[str, int]
    sources: Mapping[str, int]
    draws: int
    seed: int


def build_table(
    runs: Sequence[RowRuns],
    splits: Sequence[str],
    *,
    reference: str,
    draws: int = 1000,
    seed: int = 0,
) -> AblationTable:
    """Measure all runs on the same draws. Without finished runs of `reference`: no differences.

    Raises:
        ConfigurationError: no run, or runs that were tested on other items.
    """
    if not runs:
        raise ConfigurationError(
            "no finished run",
            expected="a folder in which `moderation ablate` has finished one",
            remedy="Run `moderation ablate` with that folder as --out.",
        )
    _require_same_items(runs, splits)
    first = next(iter(runs[0].predictions.values()))
    sampled = {split: draws_of(first[split].items, draws=draws, seed=seed) for split in splits}
    measured = {row.name: _measured(row, sampled) for row in runs}
    all_seeds = sorted({one for row in runs if row.has_seeds for one in row.predictions})
    for row in runs:
        if not row.has_seeds:
            (only,) = measured[row.name].values()
            measured[row.name] = dict.fromkeys(all_seeds or (0,), only)

    def pooled(name: str, seeds: Sequence[int], split: str) -> Measured:
        by_seed = {one: measured[name][one][split] for one in seeds}
        return pooled_over_seeds(by_seed, seeds, draws=draws, seed=seed)

    rows = []
    for row in runs:
        seeds = sorted(measured[row.name])
        shared = sorted(set(seeds) & set(measured.get(reference, ())))
        differences = {}
        if row.name != reference and shared:
            differences = {
                split: _differences(
                    pooled(row.name, shared, split), pooled(reference, shared, split)
                )
                for split in splits
            }
        rows.append(
            TableRow(
                row.name,
                row.mode,
                tuple(seeds) if row.has_seeds else (),
                row.generated_tokens,
                row.steps,
                row.wall_seconds,
                {split: pooled(row.name, seeds, split).estimates for split in splits},
                differences,
            )
        )
    return AblationTable(
        reference,
        tuple(rows),
        {split: len(first[split].items) for split in splits},
        {split: first[split].items.sources for split in splits},
        draws,
        seed,
    )


def figures_of_run(
    predictions: Mapping[str, PredictedItems], splits: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Split -> figure -> value of one run."""
    curve = platt(predictions[CALIBRATION].items)
    found = {}
    for split in splits:
        items = with_probabilities(predictions[split].items, curve)
        values = ablation_measures(items, Draws.once(len(items)))
        found[split] = {name: float(value_D[0]) for name, value_D in values.items()}
    return found


def _measured(row: RowRuns, sampled: Mapping[str, Draws]) -> dict[int, dict[str, Measured]]:
    found: dict[int, dict[str, Measured]] = {}
    for seed, predictions in row.predictions.items():
        curve = platt(predictions[CALIBRATION].items)
        found[seed] = {
            split: measure(
                with_probabilities(predictions[split].items, curve), draws, ablation_measures
            )
            for split, draws in sampled.items()
        }
    return found


def _differences(row: Measured, reference: Measured) -> dict[str, Difference]:
    found = paired_differences(row, reference)
    return {name: found[name] for name in FIGURES if name in found}


def _require_same_items(runs: Sequence[RowRuns], splits: Sequence[str]) -> None:
    first_row = runs[0]
    first = next(iter(first_row.predictions.values()))
    for row in runs:
        for seed, predictions in row.predictions.items():
            for split in (*splits, CALIBRATION):
                mine, other = predictions.get(split), first.get(split)
                if mine is None or other is None or not _are_same(mine, other):
                    raise ConfigurationError(
                        f"row {row.name!r} with seed {seed} was tested on other items of split "
                        f"{split!r} than row {first_row.name!r}",
                        expected="runs of one recipe on one corpus",
                        remedy="Name another --out, or delete the older runs.",
                    )


def _are_same(one: PredictedItems, other: PredictedItems) -> bool:
    return one.path_N == other.path_N and np.array_equal(one.items.y_N, other.items.y_N)
