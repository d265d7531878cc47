"""Figures as words for tables."""

import math

from moderation.calibration.estimate import Difference, Estimate

NOTHING = "–"


def number(value: float, digits: int = 3) -> str:
    """A figure, or a dash where it is not defined."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NOTHING


def interval(found: Estimate | Difference | None) -> str:
    """The figure and its interval, or what there is of them."""
    if found is None or not math.isfinite(found.value):
        return NOTHING
    if not math.isfinite(found.low):
        return number(found.value)
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def p_value(p: float) -> str:
    """A p-value; small ones as a bound."""
    if not math.isfinite(p):
        return NOTHING
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def counted(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
