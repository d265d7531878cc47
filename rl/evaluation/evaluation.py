"""Judges on the same labelled rows: their figures, their slices, and their paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from moderation.calibration.draws import bootstrap_draws, place_sources
from moderation.calibration.estimate import Difference
from moderation.cli.text import printable
from moderation.errors import ConfigurationError
from moderation.results import RunContext
from moderation.types import ItemResult, Judgment
from rl.evaluation.claims import ClaimAgreement, claim_agreement
from rl.evaluation.items import ScoredItems
from rl.evaluation.labels import Row
from rl.evaluation.measurement import Measured, measure, paired_differences
from rl.evaluation.probability import Fitted, fit
from rl.evaluation.probing import Probed
from rl.evaluation.scores import Scores, match
from rl.evaluation.slices import QUALITY_PREFIX, SliceFigures, measure_slices
from rl.probes.verdict import Verdicts

COLUMNS = ("modality", "recipe", "generator", "language", "collection", "split")


@dataclass(frozen=True, slots=True, eq=False)
class JudgeEvaluation:
    """One judge on the rows that every judge scored.

    results: by row. calibration: how its probabilities came about; None where they came with the
    scores, or where there are none. failed: results without a score. missing: rows not tried.
    is_baseline: a detector that gives its own probabilities. probed: tables of altered copies.
    controls: whether its scores tell genuine sources apart, and fall by recompression alone.
    """

    name: str
    context: RunContext
    items: ScoredItems
    results: tuple[ItemResult, ...]
    measured: Measured
    slices: tuple[SliceFigures, ...]
    calibration: Fitted | None
    claims: ClaimAgreement | None
    failed: tuple[ItemResult, ...]
    missing: int
    is_baseline: bool = False
    probed: Probed = field(default_factory=Probed)
    controls: Verdicts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All judges on the same `rows`. differences: (name, other name) -> figure -> difference.

    controls: what a detector could learn from these rows instead of forgeries, by modality.
    """

    rows: tuple[Row, ...]
    asked: int
    judges: tuple[JudgeEvaluation, ...]
    differences: Mapping[tuple[str, str], Mapping[str, Difference]]
    draws: int
    seed: int
    controls: Verdicts = field(default_factory=dict)


def evaluate_scores(
    rows: Sequence[Row],
    scores: Sequence[Scores],
    *,
    calibration: tuple[str, Sequence[Row]] = ("", ()),
    draws: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure recorded scores against labels; several judges are compared on common rows.

    calibration: the split to fit P(manipulated) on, and its rows; scores for them are among
    `scores`. Without it, and without probabilities in the record, there are no probabilities.

    Raises:
        ConfigurationError: no row was scored by every judge.
    """
    matched = [match(rows, one) for one in scores]
    common = [
        k for k, row in enumerate(zip(*matched, strict=True)) if all(r and r.judgment for r in row)
    ]
    if not common:
        raise ConfigurationError(
            f"none of {len(rows)} rows was scored by " + " and ".join(s.judge_id for s in scores),
            expected="at least one row with a score of every judge",
            remedy="Check that the scores are of this manifest's files.",
        )
    kept = [rows[k] for k in common]
    _, place_N = place_sources([row["source"] for row in kept])
    sample = bootstrap_draws(place_N, draws=draws, seed=seed)
    judges = []
    for name, one, column in zip(_names(scores), scores, matched, strict=True):
        results = tuple(result for k in common if (result := column[k]) is not None)
        fitted = _fit(one, calibration)
        items = scored_items(kept, results, one, fitted)
        judges.append(
            JudgeEvaluation(
                name,
                one.context,
                items,
                results,
                measure(items, sample),
                tuple(measure_slices(items, sample)),
                fitted,
                claim_agreement(kept, results),
                tuple(r for r in column if r is not None and r.judgment is None),
                sum(result is None for result in column),
                bool(one.probabilities),
            )
        )
    differences = {
        (first.name, second.name): paired_differences(first.measured, second.measured)
        for k, first in enumerate(judges)
        for second in judges[k + 1 :]
    }
    return Evaluation(tuple(kept), len(rows), tuple(judges), differences, draws, seed)


def _names(scores: Sequence[Scores]) -> list[str]:
    """The judges' names, with the mode where one judge is there in both, and never twice."""
    names = [printable(one.judge_id) for one in scores]
    if len(set(names)) < len(names):
        names = [f"{name} {one.context.mode}" for name, one in zip(names, scores, strict=True)]
    return [
        name if names.count(name) == 1 else f"{name} #{names[: k + 1].count(name)}"
        for k, name in enumerate(names)
    ]


def _judgments(results: Sequence[ItemResult]) -> list[Judgment]:
    return [result.judgment for result in results if result.judgment is not None]


def scored_items(
    rows: Sequence[Row], results: Sequence[ItemResult], scores: Scores, fitted: Fitted | None
) -> ScoredItems:
    """Arrays of rows that all have a score; probabilities of the record, or fitted ones."""
    judgments = _judgments(results)
    digit_NK = np.array([j.digit_probabilities_K for j in judgments])
    # Digits are recorded in single precision: they sum to 1 only nearly.
    digit_NK /= digit_NK.sum(axis=1, keepdims=True)
    quality = sorted({k for row in rows for k in row if k.startswith(QUALITY_PREFIX)})
    items = ScoredItems(
        score_N=np.array([j.expected_score for j in judgments]),
        is_manipulated_N=np.array([row["is_manipulated"] for row in rows]),
        y_N=np.array([row["y"] for row in rows]),
        source_N=_column(rows, "source"),
        digit_NK=digit_NK,
        columns={
            name: _column(rows, name)
            for name in (*COLUMNS, *quality)
            if any(row.get(name) for row in rows)
        },
    )
    given = [scores.probabilities.get(result.path) for result in results]
    prior = float(items.is_manipulated_N.mean())
    if all(p is not None for p in given) and 0 < prior < 1:
        return replace(items, probability_N=np.array(given, dtype=np.float64), prior=prior)
    if fitted is None:
        return items
    probability_N = fitted.calibrator.of_scores(items.score_N)
    return replace(items, probability_N=probability_N, prior=fitted.prior)


def _column(rows: Sequence[Row], name: str) -> np.ndarray[Any, np.dtype[np.object_]]:
    column = np.empty(len(rows), dtype=object)
    column[:] = [row.get(name) for row in rows]
    return column


def _fit(scores: Scores, calibration: tuple[str, Sequence[Row]]) -> Fitted | None:
    split, rows = calibration
    if not rows or scores.probabilities:
        return None
    pairs = [
        (result.judgment.expected_score, row["is_manipulated"])
        for row, result in zip(rows, match(rows, scores), strict=True)
        if result is not None and result.judgment is not None
    ]
    if not pairs:
        return None
    score_N, truth_N = (np.array(column) for column in zip(*pairs, strict=True))
    return fit(score_N, truth_N, split)
