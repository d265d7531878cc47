"""How well a detector's scores separate and rank, by modality, with intervals over sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl.detectors.scoring import Scored
from rl.probes.statistics import Estimate, auc, bootstrap, spearman


@dataclass(frozen=True, slots=True)
class Comparison:
    """One slice. auc: of the score; auc_probability: of P(manipulated); spearman: score with y.

    abstained: rows without a score, which the figures leave out.
    """

    items: int
    abstained: int
    sources: int
    auc: Estimate
    auc_probability: Estimate
    spearman: Estimate


def compare(
    rows: Sequence[Mapping[str, Any]], scored: Sequence[Scored], *, draws: int = 1000
) -> dict[str, Comparison]:
    """`all`, then each modality; slices without a score are left out."""
    slices = {"all": list(range(len(rows)))}
    for modality in sorted({row["modality"] for row in rows}):
        slices[modality] = [i for i, row in enumerate(rows) if row["modality"] == modality]
    return {
        name: _compare([rows[i] for i in at], [scored[i] for i in at], draws)
        for name, at in slices.items()
        if any(scored[i].p_manipulated is not None for i in at)
    }


def _compare(rows: Sequence[Mapping[str, Any]], scored: Sequence[Scored], draws: int) -> Comparison:
    kept = [
        (row, entry.result.judgment.expected_score, entry.p_manipulated)
        for row, entry in zip(rows, scored, strict=True)
        if entry.result.judgment is not None and entry.p_manipulated is not None
    ]
    score_N = np.array([score for _, score, _ in kept])
    p_N = np.array([p for _, _, p in kept])
    forged_N = np.array([row["is_manipulated"] for row, _, _ in kept])
    y_N = np.array([row["y"] for row, _, _ in kept])
    sources = [row["source"] for row, _, _ in kept]
    return Comparison(
        items=len(kept),
        abstained=len(rows) - len(kept),
        sources=len(set(sources)),
        auc=bootstrap(lambda i: auc(score_N[i], forged_N[i]), sources, draws=draws),
        auc_probability=bootstrap(lambda i: auc(-p_N[i], forged_N[i]), sources, draws=draws),
        spearman=bootstrap(lambda i: spearman(score_N[i], y_N[i]), sources, draws=draws),
    )
