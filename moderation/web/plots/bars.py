"""Amounts by row as bars of two parts, and amounts by day as pairs of columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from moderation.web.plots.intervals import LABEL_WIDTH, ROW_HEIGHT, WIDTH, cut
from moderation.web.plots.svg import Scale, figure, line, rectangle, round_top, text


@dataclass(frozen=True, slots=True)
class BarRow:
    """An amount, and how much of it is to be marked: `marked` is at most `amount`. told: beside."""

    label: str
    amount: float
    marked: float
    told: str


def bar_plot(rows: Sequence[BarRow], name: str, told: str) -> Markup:
    """Bars from the left; the marked part comes first."""
    top = round_top(max((row.amount for row in rows), default=0.0))
    x = Scale(0.0, top, LABEL_WIDTH + 8, WIDTH - 130)
    marks = [line(x(0), 6, x(0), 12 + ROW_HEIGHT * len(rows), "axis")]
    for k, row in enumerate(rows):
        y = 12.0 + ROW_HEIGHT * k
        marks.append(text(LABEL_WIDTH, y + ROW_HEIGHT / 2 + 3, cut(row.label), text_anchor="end"))
        inside = (y + 4, x(row.amount) - x(row.marked), ROW_HEIGHT - 10)
        marks.append(rectangle(x(0), inside[0], x(row.marked) - x(0), inside[2], "marked"))
        marks.append(rectangle(x(row.marked), *inside, "bar"))
        marks.append(text(x(row.amount) + 8, y + ROW_HEIGHT / 2 + 3, row.told))
    return figure(name, told, WIDTH, 16 + ROW_HEIGHT * len(rows), marks)


@dataclass(frozen=True, slots=True)
class DayColumns:
    """A day: what came in, what was closed, and how much of that too late."""

    label: str
    arrived: int
    closed: int
    closed_late: int


def flow_plot(days: Sequence[DayColumns], name: str, told: str) -> Markup:
    """Two columns a day: arrived, outlined; closed, filled, its late part marked."""
    top = round_top(float(max((max(one.arrived, one.closed) for one in days), default=0)))
    y = Scale(0.0, top, 220.0, 16.0)
    x = Scale(0.0, float(len(days)), 56.0, 624.0)
    marks = []
    for share in (0.0, top / 2, top):
        marks.append(line(56, y(share), 624, y(share), "grid"))
        marks.append(text(48, y(share) + 4, f"{share:g}", text_anchor="end"))
    width = 0.4 * (x(1) - x(0))
    # No more labels than there is room for.
    every = -(-len(days) // 8)
    for k, day in enumerate(days):
        left = x(k) + 0.1 * (x(1) - x(0))
        said = f"{day.label}: {day.arrived} arrived, {day.closed} closed, {day.closed_late} late"
        for place, amount, kind in (
            (left, day.arrived, "outlined"),
            (left + width, day.closed, "bar"),
            (left + width, day.closed_late, "marked"),
        ):
            marks.append(rectangle(place, y(amount), width, y(0) - y(amount), kind, said))
        if k % every == 0:
            marks.append(text(x(k + 0.5), 240, day.label, text_anchor="middle"))
    marks.append(line(56, y(0), 624, y(0), "axis"))
    return figure(name, told, WIDTH, 252, marks)
