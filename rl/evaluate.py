"""Scores a corpus split with a judge and says how well, with intervals over sources."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from moderation.app import build_dispatcher
from moderation.settings import Settings
from moderation.types import ItemResult, Mode, Strength
from rl.corpus.manifest import is_in, read_manifest
from rl.metrics import Floats, auc, bootstrap, spearman

Row = Mapping[str, Any]


def slices(rows: Sequence[Row]) -> Iterator[tuple[str, list[int]]]:
    """Named subsets: all, each modality, each modality's recipe against the genuine of it."""
    yield "all", list(range(len(rows)))
    for modality in sorted({row["modality"] for row in rows}):
        mine = [i for i, row in enumerate(rows) if row["modality"] == modality]
        yield modality, mine
        for recipe in sorted({rows[i]["recipe"] for i in mine if rows[i]["is_manipulated"]}):
            chosen = [
                i for i in mine if rows[i]["recipe"] == recipe or not rows[i]["is_manipulated"]
            ]
            if sum(rows[i]["recipe"] == recipe for i in chosen) >= 10:
                yield f"{modality}/{recipe}", chosen


def measure(rows: Sequence[Row], score_N: Floats) -> dict[str, dict[str, Any]]:
    """Per slice: counts, AUC, Spearman and mean absolute error with 95 % intervals over sources."""
    y_N = np.array([row["y"] for row in rows])
    is_manipulated_N = np.array([row["is_manipulated"] for row in rows])
    sources = np.array([row["source"] for row in rows])
    return {
        name: _figures(score_N[at], y_N[at], is_manipulated_N[at], sources[at])
        for name, indices in slices(rows)
        for at in [np.array(indices)]
    }


def _figures(
    score_N: Floats, y_N: Floats, is_manipulated_N: npt.NDArray[np.bool_], sources: Sequence[str]
) -> dict[str, Any]:
    def over_sources(metric: Callable[..., float], truth_N: npt.NDArray[Any]) -> dict[str, float]:
        return asdict(bootstrap(lambda i: metric(score_N[i], truth_N[i]), sources))

    return {
        "items": len(score_N),
        "sources": len(set(sources)),
        "auc": over_sources(auc, is_manipulated_N),
        "spearman": over_sources(spearman, y_N),
        "mae": over_sources(lambda s, y: float(np.abs(s - y).mean()), y_N),
    }


def claim_agreement(rows: Sequence[Row], results: Sequence[ItemResult]) -> dict[str, float]:
    """Precision and recall of claimed manipulations: same modality and overlap with a true span."""
    claimed = supported = true = found = 0
    for row, result in zip(rows, results, strict=True):
        rationale = result.judgment.rationale if result.judgment else None
        truth = [c for c in row["claims"] or () if c["strength"] != Strength.CLEAN]
        said = [c for c in (rationale.claims if rationale else ()) if c.strength != Strength.CLEAN]
        hits = [
            (i, j)
            for i, claim in enumerate(said)
            for j, fact in enumerate(truth)
            if claim.modality == fact["modality"]
            and claim.span.start_seconds <= fact["end"]
            and fact["start"] <= claim.span.end_seconds
        ]
        claimed, true = claimed + len(said), true + len(truth)
        supported += len({i for i, _ in hits})
        found += len({j for _, j in hits})
    return {
        "claim_precision": supported / claimed if claimed else float("nan"),
        "claim_recall": found / true if true else float("nan"),
    }


def evaluate(
    corpus: Path, split: str, mode: Mode, settings: Settings, *, console: Console
) -> dict[str, Any]:
    """Score the rows of `split` as `moderation score` does, from the bytes, and measure."""
    rows = [row for row in read_manifest(corpus) if is_in(row["split"], split)]
    with build_dispatcher(settings) as dispatcher:
        stream = dispatcher.score([corpus / row["path"] for row in rows], mode)
        results = list(track(stream, "scoring", total=len(rows), console=console))
        judge_id = dispatcher.judge_id
    scored = [i for i, result in enumerate(results) if result.judgment is not None]
    kept, done = [rows[i] for i in scored], [results[i] for i in scored]
    score_N = np.array([r.judgment.expected_score for r in done if r.judgment is not None])
    report: dict[str, Any] = {
        "judge": judge_id,
        "mode": mode.value,
        "split": split,
        "failed": len(rows) - len(scored),
        "slices": measure(kept, score_N),
    }
    if mode is Mode.FULL:
        report |= claim_agreement(kept, done)
    return report
