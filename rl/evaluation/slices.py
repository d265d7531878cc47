"""Figures by modality, recipe, generator, source and so on: the worst slice beside the mean."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Counts, Draws, Flags, Floats
from moderation.calibration.estimate import Estimate
from rl.evaluation import graded, roc
from rl.evaluation.items import ScoredItems
from rl.evaluation.measurement import Measured, in_blocks, measure

WHOLE = ("modality", "language", "collection", "split", "source")
FORGERIES = ("recipe", "generator")
QUALITY_PREFIX = "quality"
ITEMS_OF_A_CLASS_MIN = 10
# Percentile intervals over a handful of sources are too narrow.
SOURCES_MIN = 10
# A number that stands alone: "h264" is a name.
_AMOUNT = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?!\w)")
FEW_SOURCES = f"fewer than {SOURCES_MIN} sources: the interval says little"


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Some of the items: those with one value of one column.

    Of a recipe or a generator: its forgeries, against the genuine items of their modalities.
    """

    column: str
    value: str
    item_M: Counts


@dataclass(frozen=True, slots=True, eq=False)
class SliceFigures:
    """What was measured on a slice; `note` says why there is nothing, where there is nothing."""

    column: str
    value: str
    items: int
    manipulated: int
    sources: int
    measured: Measured | None
    note: str = ""

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        return {} if self.measured is None else self.measured.estimates


@dataclass(frozen=True, slots=True)
class SliceSummary:
    """A column's slices in one line: the plain mean of their AUCs, and the worst."""

    column: str
    slices: int
    left_out: int
    mean_auc: float
    worst: SliceFigures | None


def slices(items: ScoredItems) -> Iterator[Slice]:
    """Every slice of the columns that the manifest has; one that holds all items is left out."""
    for column in (*WHOLE, *FORGERIES):
        if column == "source":
            yield from _of_column(items, column, items.source_N)
        elif column in items.columns:
            yield from _of_column(items, column, items.columns[column])
    for column in _quality_columns(items):
        for name, label_N in quality_labels(items.columns[column]).items():
            yield from _of_column(items, f"{column} {name}".strip(), label_N)


def _of_column(items: ScoredItems, column: str, label_N: np.ndarray) -> Iterator[Slice]:
    values = sorted({str(label) for label in label_N if label})
    for value in values:
        is_in_N = label_N == value
        if column in FORGERIES:
            is_in_N = _against_genuine(items, is_in_N & items.is_manipulated_N)
        if is_in_N.any() and not (is_in_N.all() and len(values) == 1):
            yield Slice(column, value, np.flatnonzero(is_in_N))


def _quality_columns(items: ScoredItems) -> Sequence[str]:
    return sorted(name for name in items.columns if name.startswith(QUALITY_PREFIX))


def _against_genuine(items: ScoredItems, is_forged_N: Flags) -> Flags:
    """The forgeries and the genuine items of the same modalities; none without forgeries."""
    is_peer_N = ~items.is_manipulated_N & is_forged_N.any()
    if "modality" in items.columns:
        modality_N = items.columns["modality"]
        is_peer_N &= np.isin(modality_N.astype(str), modality_N[is_forged_N].astype(str))
    return is_forged_N | is_peer_N


def quality_labels(label_N: np.ndarray) -> dict[str, np.ndarray]:
    """Labels of a quality column, by what they speak of; "" for the column itself.

    Text may list operations with their amounts, as the corpus builder writes it
    (`crop 0.91; jpeg 83`): each has its own labels, the amounts by quarter.
    """
    listed = [label.split(";") if isinstance(label, str) else [] for label in label_N]
    if not any(len(parts) > 1 or _AMOUNT.search(parts[0]) for parts in listed if parts):
        return {"": bands(label_N)}
    found: dict[str, np.ndarray] = {}
    for k, parts in enumerate(listed):
        for part in parts:
            amount = _AMOUNT.search(part)
            name = " ".join(_AMOUNT.sub("", part, count=1).split())
            column = found.setdefault(name, np.full(len(label_N), None, dtype=object))
            column[k] = float(amount[0]) if amount else "yes"
    return {name: bands(found[name]) for name in sorted(found) if name}


def bands(label_N: np.ndarray) -> np.ndarray:
    """Numbers by quarter, as text; other labels as they are, missing ones as ""."""
    kinds = {type(label) for label in label_N if label is not None}
    if not kinds or not kinds <= {int, float}:
        return np.array([str(label or "") for label in label_N], dtype=object)
    number_N = np.array([np.nan if label is None else float(label) for label in label_N])
    cut = np.unique(np.nanquantile(number_N, [0, 0.25, 0.5, 0.75, 1]))
    place_N = np.clip(np.searchsorted(cut, number_N, side="right") - 1, 0, max(cut.size - 2, 0))
    names = [f"{low:.4g} … {high:.4g}" for low, high in zip(cut, [*cut[1:], cut[-1]], strict=True)]
    named = [names[k] if np.isfinite(x) else "" for k, x in zip(place_N, number_N, strict=True)]
    return np.array(named, dtype=object)


@in_blocks
def _ordered(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    curve = roc.roc(items.score_N, items.is_manipulated_N, draws)
    return {"auc": roc.auc(curve), "eer": roc.equal_error_rate(curve)}


def slice_measures(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """The figures of a slice: AUC, EER, mean absolute error, and Brier and ECE of probabilities."""
    figures = _ordered(items, draws)
    if np.isfinite(items.y_N).all():
        figures["mae"] = graded.mean_absolute_error(items.score_N, items.y_N, draws)
    if items.probability_N is not None:
        pair = (items.probability_N, items.is_manipulated_N)
        figures["brier"] = metrics.brier(*pair, draws)
        figures["ece"] = metrics.reliability_bins(*pair, draws).expected_error_D
    return figures


def measure_slices(items: ScoredItems, draws: Draws) -> list[SliceFigures]:
    """Every slice with the draws of the whole: slices of two judges can be paired."""
    return [_figures(items, draws, part) for part in slices(items)]


def _figures(items: ScoredItems, draws: Draws, part: Slice) -> SliceFigures:
    mine = items.take(part.item_M)
    manipulated = int(mine.is_manipulated_N.sum())
    genuine = len(mine) - manipulated
    counts = (part.column, part.value, len(mine), manipulated, mine.sources)
    if min(manipulated, genuine) < ITEMS_OF_A_CLASS_MIN:
        note = f"{genuine} genuine, {manipulated} manipulated: fewer than {ITEMS_OF_A_CLASS_MIN}"
        return SliceFigures(*counts, None, note)
    note = "" if mine.sources >= SOURCES_MIN else FEW_SOURCES
    return SliceFigures(*counts, measure(mine, draws.take(part.item_M), slice_measures), note)


def summaries(figures: Sequence[SliceFigures]) -> list[SliceSummary]:
    """One line a column, in the order of the slices."""
    found: list[SliceSummary] = []
    for column in dict.fromkeys(part.column for part in figures):
        mine = [part for part in figures if part.column == column]
        measured = [part for part in mine if part.measured is not None]
        auc = [part.measured.value["auc"] for part in measured if part.measured is not None]
        worst = measured[int(np.argmin(auc))] if auc else None
        mean = float(np.mean(auc)) if auc else float("nan")
        found.append(SliceSummary(column, len(measured), len(mine) - len(measured), mean, worst))
    return found
