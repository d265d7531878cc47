"""Numbers in words, as templates show them."""

import math
from datetime import timedelta

NOTHING = "—"


def number(value: float | None, digits: int = 2) -> str:
    """Rounded, with thousands apart; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share of 1 in hundredths; a dash for what is not known."""
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{100 * share:.{digits}f} %"


def duration(span: timedelta | float | None) -> str:
    """A time, of seconds where it is a number, in its two largest units."""
    if span is None:
        return NOTHING
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if not math.isfinite(seconds):
        return NOTHING
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"


def counted(count: int, one: str, several: str | None = None) -> str:
    """`1 task`, `3 tasks`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
