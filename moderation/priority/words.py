"""Amounts as people read them."""

import math


def amount(value: float, digits: int = 3) -> str:
    """So many significant digits, thousands apart, never an exponent: `2,110,000`, `0.0481`."""
    if not math.isfinite(value) or value == 0.0:
        return f"{value:g}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    told = f"{round(value, places):,.{max(0, places)}f}"
    return told.rstrip("0").rstrip(".") if "." in told else told
