"""Figures with their intervals, one a row, on a common scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from moderation.web.plots.svg import Scale, dot, figure, line, text

ROW_HEIGHT, LABEL_WIDTH, WIDTH = 32.0, 180.0, 640.0
LABEL_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A figure; NaN where nothing can be said."""

    label: str
    value: float
    lower: float
    upper: float


def interval_plot(
    rows: Sequence[IntervalRow], name: str, told: str, *, low: float, high: float
) -> Markup:
    """Dots with whiskers. low, high: of the scale; what lies beyond is drawn at its end."""
    foot = 12.0 + ROW_HEIGHT * len(rows)
    x = Scale(low, high, LABEL_WIDTH + 8, WIDTH - 20)
    marks = []
    for tick in (low, low + (high - low) / 2, high):
        marks.append(line(x(tick), 8, x(tick), foot, "grid"))
        marks.append(text(x(tick), foot + 20, f"{tick:g}", text_anchor="middle"))
    for k, row in enumerate(rows):
        y = 12.0 + ROW_HEIGHT * (k + 0.5)
        marks.append(text(LABEL_WIDTH, y + 5, cut(row.label), text_anchor="end"))
        if math.isnan(row.value):
            marks.append(text(x(low) + 8, y + 5, "cannot be said yet", class_="quiet"))
            continue
        if not math.isnan(row.lower):
            marks.append(line(x(row.lower), y, x(row.upper), y, "interval"))
        marks.append(dot(x(row.value), y, 6, "mark", f"{row.label}: {row.value:.2f}"))
    return figure(name, told, WIDTH, foot + 30, marks)


def cut(label: str) -> str:
    """As much of a label as there is room for."""
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 1] + "…"
