"""Are the items of a split exchangeable with those of the calibration? Exact tests.

Given one calibration sample of n, how many of m further items fall below its r-th smallest value
is beta-binomial (m, r, n + 1 - r), if all are exchangeable and distinct (Vovk 2012, arXiv:
1209.2673). Ties only make fewer. Items of one source resemble one another: a small p-value says
that the promise failed, not whether a generator, a source or a codec is to blame.
"""

import math
from enum import StrEnum

# So many tests are in one report that one in twenty would cry wolf.
LEVEL = 0.01


def excess_p(errors: int, items: int, rank: int, calibration_items: int) -> float:
    """P(at least so many errors among `items`), where errors fall below the `rank`-th value."""
    from scipy.stats import betabinom

    if errors <= 0 or not 1 <= rank <= calibration_items:
        return 1.0
    return float(betabinom.sf(errors - 1, items, rank, calibration_items + 1 - rank))


def shortfall_p(covered: int, items: int, coverage: float, calibration_items: int) -> float:
    """P(at most so many labels in their intervals), of a cell of `calibration_items`."""
    from scipy.stats import betabinom

    rank = math.ceil((calibration_items + 1) * coverage - 1e-9)
    if covered >= items or not 1 <= rank <= calibration_items:
        return 1.0
    return float(betabinom.cdf(covered, items, rank, calibration_items + 1 - rank))


class Kept(StrEnum):
    """Whether a promise holds: `WITHIN` means missed, but no more than chance explains."""

    HELD = "held"
    WITHIN = "within chance"
    BROKEN = "broken"


def judge_promise(missed_by: float, p_value: float) -> Kept:
    """missed_by: how far a rate is on the wrong side; p_value: of that, if exchangeable."""
    if not missed_by > 0.0:
        return Kept.HELD
    return Kept.BROKEN if p_value < LEVEL else Kept.WITHIN
