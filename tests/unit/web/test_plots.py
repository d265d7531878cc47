"""Plots are SVG that parses, without style or script, whatever the labels are."""

import math
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pytest

from moderation.calibration.reliability import Curve
from moderation.web.plots.bars import BarRow, DayColumns, bar_plot, flow_plot
from moderation.web.plots.distributions import drift_plot, score_bins
from moderation.web.plots.intervals import IntervalRow, interval_plot
from moderation.web.plots.reliability import reliability_diagram
from moderation.web.plots.svg import Scale, round_top

NAN = math.nan
HOSTILE = '"><script>alert(1)</script>'


def marks(root: Element, kind: str) -> list[Element]:
    return [one for one in root.iter() if one.get("class") == kind]


def number(element: Element, name: str) -> float:
    return float(element.get(name, "nan"))


def drawn(text: str) -> Element:
    """Its root; every plot names itself and holds nothing that acts."""
    root = fromstring(text)
    title = root.find("title")
    assert title is not None
    assert root.get("aria-labelledby") == title.get("id")
    assert title.text
    for one in root.iter():
        assert one.tag != "script"
        assert not any(name == "style" or name.startswith("on") for name in one.attrib)
    return root


def curve(**changes: list[float]) -> Curve:
    columns = {
        "stated_B": [0.1, NAN, 0.9],
        "found_B": [0.2, NAN, 0.8],
        "low_B": [0.1, NAN, NAN],
        "high_B": [0.4, NAN, NAN],
        "items_B": [10.0, 2.0, 40.0],
    }
    return Curve(**{name: np.array(value) for name, value in (columns | changes).items()})


def test_a_reliability_diagram_has_a_dot_a_bin_and_a_bar_a_count() -> None:
    root = drawn(reliability_diagram(curve(), "r"))
    first, last = marks(root, "mark")
    assert number(first, "cx") < number(last, "cx")
    assert number(first, "cy") > number(last, "cy")  # upward is less
    [interval] = marks(root, "interval")
    assert number(interval, "y1") > number(first, "cy") > number(interval, "y2")
    heights = [number(one, "height") for one in marks(root, "bar")]
    assert heights[2] == pytest.approx(4 * heights[0])
    assert heights[0] == pytest.approx(5 * heights[1], abs=0.05)


def test_a_dot_on_the_diagonal_is_drawn_on_it() -> None:
    root = drawn(reliability_diagram(curve(stated_B=[0.5, NAN, NAN], found_B=[0.5, NAN, NAN]), "r"))
    [dot] = marks(root, "mark")
    [ideal] = marks(root, "ideal")
    middle = {axis: (number(ideal, f"{axis}1") + number(ideal, f"{axis}2")) / 2 for axis in "xy"}
    assert (number(dot, "cx"), number(dot, "cy")) == (middle["x"], middle["y"])


def test_scores_fall_into_half_levels_and_the_last_one_holds_nine() -> None:
    bins = score_bins(np.array([0.0, 0.4, 9.0, 8.6]), np.array([]))
    assert [one.then for one in bins] == [0.5, *[0.0] * 16, 0.5]
    assert sum(one.now for one in bins) == 0.0
    root = drawn(drift_plot(bins, "d"))
    assert len(marks(root, "then")) == len(marks(root, "now")) == 1


def test_an_interval_that_cannot_be_said_is_told_and_labels_stay_text() -> None:
    rows = [IntervalRow(HOSTILE, 0.5, 0.2, 0.9), IntervalRow("b", NAN, NAN, NAN)]
    root = drawn(interval_plot(rows, "i", "told", low=-1.0, high=1.0))
    assert len(marks(root, "mark")) == len(marks(root, "interval")) == 1
    assert [one.text for one in marks(root, "quiet")] == ["cannot be said yet"]
    assert any((one.text or "").startswith('"><script>') for one in root.iter("text"))


def test_bars_are_as_long_as_what_they_show() -> None:
    root = drawn(bar_plot([BarRow("a", 10, 4, "10"), BarRow("b", 0, 0, "0")], "b", "told"))
    rest, marked = (number(marks(root, kind)[0], "width") for kind in ("bar", "marked"))
    assert marked == pytest.approx(rest * 4 / 6, abs=0.01)
    assert number(marks(root, "bar")[1], "width") == 0


def test_a_day_without_work_has_flat_columns() -> None:
    days = [DayColumns("1", 4, 2, 1), DayColumns("2", 0, 0, 0)]
    root = drawn(flow_plot(days, "f", "told"))
    assert [number(one, "height") for one in marks(root, "outlined")][1] == 0
    closed, late = marks(root, "bar")[0], marks(root, "marked")[0]
    assert number(closed, "height") == pytest.approx(2 * number(late, "height"), abs=0.01)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.2, 2), (4, 5), (5, 5), (12, 20), (99, 100), (501, 1000)]
)
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert round_top(value) == top


def test_what_lies_beyond_a_scale_is_drawn_at_its_end() -> None:
    scale = Scale(-1.0, 1.0, 0.0, 100.0)
    assert [scale(value) for value in (-5.0, -1.0, 0.0, 1.0, 7.0)] == [0, 0, 50, 100, 100]
