"""How often intervals of a calibrator hold the labels of a split, by cell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from moderation.calibration.artefact import IntervalRecord
from moderation.calibration.calibrator import FittedCalibrator, cells_of, interval_method
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.estimate import Estimate
from moderation.calibration.exchangeability import Kept, judge_promise, shortfall_p
from moderation.calibration.items import LabelledItems, Texts
from moderation.calibration.mondrian import Cells

# Who has the quantile of its modality, as in service.
SERVED = "by modality"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often labels of a group lie in their intervals. cell: whose quantile served them.

    p_value: of so few, if they were exchangeable with the cell's; of all items, that of the worst
    modality times their number.
    """

    method: str
    group: str
    cell: str
    items: int
    sources: int
    covered: Estimate
    width: float
    p_value: float
    kept: Kept


def coverages(
    calibrator: FittedCalibrator, items: LabelledItems, *, draws: int, seed: int
) -> list[Coverage]:
    """Each interval method, for all items, by modality and by generator family.

    Families are served by the cell of their modality, as when the generator is unknown, and once
    more by their own where the calibrator has one.
    """
    graded = items.take(np.isfinite(items.y_N))
    found: list[Coverage] = []
    for record in calibrator.artefact.intervals if len(graded) else ():
        by_modality = cells_of(record, record.by_modality)
        by_family = cells_of(record, record.by_family)
        served_N = by_modality.quantiles(graded.modality_N.tolist())
        by_place = [
            _coverage(record, graded, name, by_modality, graded.modality_N == name, draws, seed)
            for name in _names(graded.modality_N)
        ]
        found += [_overall(record, graded, served_N, by_place, draws, seed), *by_place]
        for name in _names(graded.family_N):
            member_N = graded.family_N == name
            part = graded.take(member_N)
            within = [
                _coverage(record, part, place, by_modality, part.modality_N == place, draws, seed)
                for place in _names(part.modality_N)
            ]
            one = _overall(record, part, served_N[member_N], within, draws, seed)
            found.append(replace(one, group=name))
            if by_family.group(name) == name:
                found.append(_coverage(record, graded, name, by_family, member_N, draws, seed))
    return found


def _coverage(
    record: IntervalRecord,
    items: LabelledItems,
    name: str,
    cells: Cells,
    member_N: Flags,
    draws: int,
    seed: int,
) -> Coverage:
    """The items of one group, which one cell serves."""
    part = items.take(member_N)
    is_in_N, width = _covered(record, part, cells.quantiles([name] * len(part)))
    covered = part.mean(is_in_N, draws=draws, seed=seed)
    cell = cells.by_group.get(name, cells.everything)
    p = shortfall_p(int(is_in_N.sum()), len(part), record.coverage, cell.items)
    kept = judge_promise(record.coverage - covered.value, p)
    counts = (len(part), part.sources)
    return Coverage(record.method, name, cells.group(name), *counts, covered, width, p, kept)


def _overall(
    record: IntervalRecord,
    items: LabelledItems,
    quantile_N: Floats,
    parts: Sequence[Coverage],
    draws: int,
    seed: int,
) -> Coverage:
    """All items together, each served by the cell of its modality."""
    is_in_N, width = _covered(record, items, quantile_N)
    covered = items.mean(is_in_N, draws=draws, seed=seed)
    p = min([1.0, *(len(parts) * part.p_value for part in parts)])
    kept = judge_promise(record.coverage - covered.value, p)
    counts = (len(items), items.sources)
    return Coverage(record.method, "all", SERVED, *counts, covered, width, p, kept)


def _covered(
    record: IntervalRecord, items: LabelledItems, quantile_N: Floats
) -> tuple[Floats, float]:
    """Whether each label is in its interval, as 0 and 1, and the intervals' mean width."""
    method = interval_method(record.method)
    low_N, high_N = method.interval(items.digit_NK, quantile_N, record.coverage)
    is_in_N = ((low_N <= items.y_N) & (items.y_N <= high_N)).astype(np.float64)
    return is_in_N, float(np.average(high_N - low_N, weights=items.weight_N))


def _names(group_N: Texts) -> list[str]:
    return sorted({name for name in group_N.tolist() if name})
