"""Labelled scores to a calibrator: one half of the sources fits the map, the other bounds risk.

The halves share no source. Risk control needs probabilities of items that had no say in the map
or in the choice among maps. Intervals need no such split: nothing in them is fitted but their
quantiles, so they use all items that have a graded label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from moderation import __version__
from moderation.calibration import metrics
from moderation.calibration.artefact import (
    CalibrationArtefact,
    CellRecord,
    FigureRecord,
    IntervalRecord,
    Provenance,
    RiskRecord,
)
from moderation.calibration.conformal import METHODS, IntervalMethod
from moderation.calibration.digits import expected_scores, naive_probability
from moderation.calibration.draws import Counts, Floats
from moderation.calibration.folds import source_folds
from moderation.calibration.items import LabelledItems
from moderation.calibration.mondrian import Cell, fit_cells
from moderation.calibration.risk_control import RiskSample, risk_sample
from moderation.errors import CalibrationError
from moderation.ports import Calibrator
from moderation.types import Mode

ITEMS_OF_A_CLASS_MIN = 20
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What a fit is told of its data: see `artefact.Provenance`."""

    judge_id: str
    mode: Mode
    scores_sha256: str
    labels_sha256: str
    splits: tuple[str, ...]
    fitted_on: date
    setup: str | None = None
    rationales: int = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to calibrate that may be chosen. version: of the distribution that offers it."""

    method: type[Calibrator]
    version: str


def fit_calibrator(
    items: LabelledItems,
    candidates: Sequence[Candidate],
    origin: Origin,
    *,
    coverage: float,
    served: str,
    seed: int,
) -> CalibrationArtefact:
    """The artefact of the candidate with the least cross-fitted NLL.

    coverage: of the intervals, in (0, 1). served: the interval method that scores are given.

    Raises:
        CalibrationError: too few items of a class, or too few sources.
    """
    require_enough(items)
    half_N = source_folds(items, 2, seed)
    fits, bounds = items.take(half_N == 0), items.take(half_N == 1)
    chosen, losses = choose(fits, candidates, seed)
    fitted = _fit(chosen, fits)
    after_N = np.empty(len(items))
    after_N[half_N == 1] = held_out = fitted.probability(bounds.digit_NK)
    # The other way round, the whole procedure, choice and all: honest figures of every item.
    other = _fit(choose(bounds, candidates, seed)[0], bounds)
    after_N[half_N == 0] = other.probability(fits.digit_NK)
    sample = risk_sample(held_out, bounds.is_manipulated_N, bounds.weight_N)
    return CalibrationArtefact(
        judge_id=origin.judge_id,
        mode=origin.mode,
        method=chosen.method.name,
        method_version=chosen.version,
        parameters={
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fitted.parameters().items()
        },
        intervals=tuple(_interval_record(items, method, coverage) for method in METHODS),
        served=served,
        risk=_risk_record(sample),
        reference_scores=tuple(np.sort(expected_scores(items.digit_NK)).tolist()),
        provenance=Provenance(
            scores_sha256=origin.scores_sha256,
            labels_sha256=origin.labels_sha256,
            splits=origin.splits,
            setup=origin.setup,
            rationales=origin.rationales,
            fitted_on=origin.fitted_on,
            code_version=__version__,
            seed=seed,
            items=_counts(items, fits, bounds),
            candidates=losses,
            before=figures(items, naive_probability(items.digit_NK)),
            after=figures(items, after_N),
        ),
    )


def choose(
    items: LabelledItems, candidates: Sequence[Candidate], seed: int
) -> tuple[Candidate, dict[str, float]]:
    """The candidate with the least NLL on items it was not fitted on, and all their NLLs."""
    fold_N = source_folds(items, min(FOLDS, max(2, items.sources)), seed)
    losses = {
        one.method.name: figures(items, cross_fitted(items, one, fold_N)).nll for one in candidates
    }
    return min(candidates, key=lambda one: losses[one.method.name]), losses


def cross_fitted(items: LabelledItems, candidate: Candidate, fold_N: Counts) -> Floats:
    """P(manipulated) of each item, (N,), by a map fitted without its fold."""
    probability_N = np.empty(len(items))
    for fold in np.unique(fold_N):
        fitted = _fit(candidate, items.take(fold_N != fold))
        probability_N[fold_N == fold] = fitted.probability(items.digit_NK[fold_N == fold])
    return probability_N


def _fit(candidate: Candidate, items: LabelledItems) -> Calibrator:
    return candidate.method.fit(items.digit_NK, items.is_manipulated_N, items.weight_N)


def figures(items: LabelledItems, probability_N: Floats) -> FigureRecord:
    """Metrics of probabilities, weighted."""
    pair, once = (probability_N, items.is_manipulated_N), items.once()
    return FigureRecord(
        brier=float(metrics.brier(*pair, once)[0]),
        nll=float(metrics.negative_log_likelihood(*pair, once)[0]),
        ece=float(metrics.reliability_bins(*pair, once).expected_error_D[0]),
        adaptive_ece=float(metrics.equal_mass_bins(*pair, once).expected_error_D[0]),
    )


def require_enough(items: LabelledItems) -> None:
    """Both classes are there, often enough to fit on one half and to test on the other.

    Raises:
        CalibrationError: they are not.
    """
    if not (items.manipulated and items.genuine):
        there = "manipulated" if items.manipulated else "genuine"
        raise CalibrationError(
            f"all {len(items)} items are {there}",
            expected="items of both classes",
            remedy="Score and label items of the other class too.",
        )
    if min(items.manipulated, items.genuine) < ITEMS_OF_A_CLASS_MIN:
        raise CalibrationError(
            f"{items.manipulated} manipulated and {items.genuine} genuine items",
            expected=f"at least {ITEMS_OF_A_CLASS_MIN} of either class with a score and a label",
            remedy="Score and label more items.",
        )


def _interval_record(
    items: LabelledItems, method: IntervalMethod, coverage: float
) -> IntervalRecord:
    graded = items.take(np.isfinite(items.y_N))
    residual_N = method.nonconformity(graded.digit_NK, graded.y_N, coverage)

    def record(cell: Cell) -> CellRecord:
        return CellRecord(quantile=cell.quantile, items=cell.items)

    by_modality, by_family = (
        fit_cells(residual_N, group_N.tolist(), coverage, graded.weight_N)
        for group_N in (graded.modality_N, graded.family_N)
    )
    return IntervalRecord(
        method=method.name,
        coverage=coverage,
        everything=record(by_modality.everything),
        by_modality={name: record(cell) for name, cell in by_modality.by_group.items()},
        by_family={name: record(cell) for name, cell in by_family.by_group.items()},
    )


def _risk_record(sample: RiskSample) -> RiskRecord:
    return RiskRecord(
        manipulated=tuple(sample.manipulated_M.tolist()),
        manipulated_weights=tuple(sample.manipulated_weight_M.tolist()),
        genuine=tuple(sample.genuine_G.tolist()),
        genuine_weights=tuple(sample.genuine_weight_G.tolist()),
    )


def _counts(items: LabelledItems, fits: LabelledItems, bounds: LabelledItems) -> Mapping[str, int]:
    counts = {
        "all": len(items),
        "manipulated": items.manipulated,
        "genuine": items.genuine,
        "graded": int(np.isfinite(items.y_N).sum()),
        "sources": items.sources,
        "fits the map": len(fits),
        "bounds risk": len(bounds),
    }
    for name, group_N in (("modality", items.modality_N), ("family", items.family_N)):
        values, times = np.unique(group_N.astype(str), return_counts=True)
        for value, count in zip(values.tolist(), times.tolist(), strict=True):
            counts[f"{name}/{value or 'unknown'}"] = int(count)
    return counts
