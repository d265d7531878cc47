"""The reliability diagram: what was said against what was found, and how many items say so."""

import math

from markupsafe import Markup

from moderation.calibration.reliability import Curve
from moderation.web.plots.svg import (
    Scale,
    dot,
    element,
    figure,
    line,
    rectangle,
    round_top,
    text,
)

_X, _Y = Scale(0.0, 1.0, 56.0, 396.0), Scale(0.0, 1.0, 320.0, 20.0)
_BAR_FOOT, _BAR_TOP = 454.0, 384.0
WIDTH, HEIGHT = 412.0, 466.0


def reliability_diagram(curve: Curve, name: str) -> Markup:
    """Dots with 95 % intervals over the diagonal of perfect calibration; counts beneath."""
    told = (
        "Reliability diagram: share manipulated by stated probability, with 95 % intervals, "
        "and items by stated probability; the table has the numbers."
    )
    marks = [*_axes(), line(_X(0), _Y(0), _X(1), _Y(1), "ideal")]
    for stated, found, low, high, items in _bins(curve):
        if not math.isnan(low):
            marks.append(line(_X(stated), _Y(low), _X(stated), _Y(high), "interval"))
        said = f"said {stated:.2f}, found {found:.2f}, {items:.0f} items"
        marks.append(dot(_X(stated), _Y(found), 5, "mark", said))
    return figure(name, told, WIDTH, HEIGHT, [*marks, *_counts(curve)])


def _bins(curve: Curve) -> list[tuple[float, float, float, float, float]]:
    columns = (curve.stated_B, curve.found_B, curve.low_B, curve.high_B, curve.items_B)
    rows = [tuple(float(value) for value in row) for row in zip(*columns, strict=True)]
    return [(a, b, c, d, e) for a, b, c, d, e in rows if not math.isnan(a)]


def _axes() -> list[Markup]:
    marks = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        marks.append(line(_X(0), _Y(tick), _X(1), _Y(tick), "grid"))
        marks.append(text(_X(0) - 8, _Y(tick) + 4, f"{tick:g}", text_anchor="end"))
        marks.append(text(_X(tick), 338, f"{tick:g}", text_anchor="middle"))
    marks.append(_upward(170, "share found manipulated"))
    marks.append(text(_X(0.5), 362, "stated P(manipulated)", text_anchor="middle"))
    return marks


def _upward(y: float, words: str) -> Markup:
    turned = {"text_anchor": "middle", "transform": f"rotate(-90 14 {y:g})"}
    return element("text", words, x=14, y=y, **turned)


def _counts(curve: Curve) -> list[Markup]:
    top = round_top(float(curve.items_B.max(initial=0.0)))
    height = Scale(0.0, top, 0.0, _BAR_FOOT - _BAR_TOP)
    bins = len(curve.items_B)
    marks = [
        rectangle(
            _X(k / bins) + 1,
            _BAR_FOOT - height(float(count)),
            _X(1 / bins) - _X(0) - 2,
            height(float(count)),
            "bar",
            f"{count:.0f} items from {k / bins:g} to {(k + 1) / bins:g}",
        )
        for k, count in enumerate(curve.items_B)
    ]
    marks.append(line(_X(0), _BAR_FOOT, _X(1), _BAR_FOOT, "axis"))
    marks.append(text(_X(0) - 8, _BAR_TOP + 8, f"{top:g}", text_anchor="end"))
    marks.append(text(_X(0) - 8, _BAR_FOOT + 4, "0", text_anchor="end"))
    marks.append(_upward((_BAR_TOP + _BAR_FOOT) / 2, "items"))
    return marks
