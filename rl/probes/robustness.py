"""How a judge's scores hold up when files are degraded: the table and the heat map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from rl.probes.alteration import Alteration
from rl.probes.copies import make_copies
from rl.probes.sample import Row
from rl.probes.scorer import Scorer
from rl.probes.statistics import Estimate, Floats, estimate_auc, estimate_mean

MIDDLE = 4.5
NO_DEGRADATION = "none"


@dataclass(frozen=True, slots=True)
class RobustnessRow:
    """One degradation at one level.

    auc: of the degraded copies. shift: mean score less the original's, of all; genuine_shift: of
    the genuine. flip_share: genuine items at or above the threshold that fall below it. failed:
    copies that could not be made or scored. Intervals are over sources.
    """

    modality: str
    name: str
    level: str
    order: int
    items: int
    failed: int
    auc: Estimate
    shift: Estimate
    genuine_shift: Estimate
    flip_share: Estimate


@dataclass(frozen=True, slots=True)
class HeatMap:
    """value_RL: AUC by degradation R and level L, NaN where a degradation has fewer levels."""

    modality: str
    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    value_RL: Floats


def measure_robustness(
    corpus: Path,
    rows: Sequence[Row],
    degradations: Sequence[Alteration],
    scorer: Scorer,
    folder: Path,
    *,
    threshold: float = MIDDLE,
    draws: int = 1000,
    seed: int = 0,
    workers: int = 1,
    console: Console,
) -> list[RobustnessRow]:
    """Degrade, score, and compare with the scores of the originals, which come first.

    rows: of a manifest, best from `sample_pairs`. folder: for the copies, kept for the next run.
    """
    original_N = scorer([corpus / row["path"] for row in rows])
    by_sha256 = {row["sha256"]: float(s) for row, s in zip(rows, original_N, strict=True)}
    table = [
        _row(
            Alteration(NO_DEGRADATION, "original", modality, _untouched, order=-1),
            [row for row in rows if row["modality"] == modality],
            by_sha256,
            by_sha256,
            threshold,
            draws,
        )
        for modality in dict.fromkeys(found.modality for found in degradations)
    ]
    copies = make_copies(
        corpus, rows, degradations, folder, seed=seed, workers=workers, console=console
    )
    for degradation in degradations:
        mine = [copy for copy in copies if copy.alteration is degradation]
        made = [copy for copy in mine if copy.failure is None]
        score_N = scorer([copy.path for copy in made])
        found = {c.row["sha256"]: float(s) for c, s in zip(made, score_N, strict=True)}
        of = [copy.row for copy in mine]
        table.append(_row(degradation, of, by_sha256, found, threshold, draws))
        console.print(f"{degradation.key}: AUC {table[-1].auc}, shift {table[-1].shift}")
    return table


def _untouched(path: Path, _: int) -> bytes:
    return path.read_bytes()


def _row(
    degradation: Alteration,
    rows: Sequence[Row],
    before: Mapping[str, float],
    after: Mapping[str, float],
    threshold: float,
    draws: int,
) -> RobustnessRow:
    nan = float("nan")
    before_N = np.array([before.get(row["sha256"], nan) for row in rows])
    after_N = np.array([after.get(row["sha256"], nan) for row in rows])
    kept = np.isfinite(before_N) & np.isfinite(after_N)
    before_N, after_N = before_N[kept], after_N[kept]
    forged_N = np.array([row["is_manipulated"] for row in rows], bool)[kept]
    source_N = np.array([row["source"] for row in rows], object)[kept]
    passed_N = ~forged_N & (before_N >= threshold)
    shift_N = after_N - before_N
    fell_N = (after_N < threshold).astype(np.float64)

    def mean_of(value_N: Floats, chosen_N: npt.NDArray[np.bool_]) -> Estimate:
        return estimate_mean(value_N[chosen_N], source_N[chosen_N].tolist(), draws=draws)

    return RobustnessRow(
        modality=degradation.modality.value,
        name=degradation.name,
        level=degradation.level,
        order=degradation.order,
        items=int(kept.sum()),
        failed=int((~kept).sum()),
        auc=estimate_auc(after_N, forged_N, source_N.tolist(), draws=draws),
        shift=mean_of(shift_N, np.ones_like(forged_N)),
        genuine_shift=mean_of(shift_N, ~forged_N),
        flip_share=mean_of(fell_N, passed_N),
    )


def heat_maps(table: Sequence[RobustnessRow]) -> list[HeatMap]:
    """AUC by degradation and level, one map a modality, the untouched row first."""
    maps: list[HeatMap] = []
    for modality in dict.fromkeys(row.modality for row in table):
        mine = sorted((r for r in table if r.modality == modality), key=lambda r: r.order)
        names = tuple(dict.fromkeys(row.name for row in mine))
        lines = [[row for row in mine if row.name == name] for name in names]
        width = max(map(len, lines))
        value_RL = np.full((len(lines), width), np.nan)
        for r, line in enumerate(lines):
            value_RL[r, : len(line)] = [row.auc.value for row in line]
        levels = tuple(tuple(row.level for row in line) for line in lines)
        maps.append(HeatMap(modality, names, levels, value_RL))
    return maps
