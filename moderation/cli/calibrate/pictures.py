"""Reliability diagrams, for the page and as a PNG."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moderation.calibration.assessment import SplitAssessment
from moderation.calibration.reliability import Curve
from moderation.cli.chapters.drawing import INK, SERIES, SOFT, drawing

PANELS_A_ROW = 3
FOOT_HEIGHT = 0.16


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a diagram: before and after calibration, and what is not data."""

    before: str
    after: str
    soft: str
    ink: str


PAGE = Palette(before=SERIES[1], after=SERIES[0], soft=SOFT, ink=INK)
# Okabe and Ito's vermilion and blue, on white paper.
PAPER = Palette(before="#c04f00", after="#0068a8", soft="#8a9099", ink="#1a1d21")


def diagrams_svg(splits: Sequence[SplitAssessment]) -> list[str]:
    """One drawing for every three splits, in the page's colours."""
    rows = []
    for start in range(0, len(splits), PANELS_A_ROW):
        part = splits[start : start + PANELS_A_ROW]
        with drawing(3.05 * len(part), 3.9, len(part)) as result:
            for axis, one in zip(result.axes, part, strict=True):
                _panel(axis, one, PAGE)
            _legend(result.figure, result.axes[0])
        rows.append(result.svg)
    return rows


def diagrams_png(splits: Sequence[SplitAssessment]) -> bytes:
    """All splits in one picture, a row of three at a time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = min(PANELS_A_ROW, len(splits))
    rows = -(-len(splits) // PANELS_A_ROW)
    look: Mapping[str, Any] = {
        "font.size": 10.0,
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(dict(look)):
        figure = Figure(figsize=(4.0 * columns, 4.8 * rows), layout="constrained")
        figure.patch.set_facecolor("white")
        axes = [
            figure.add_subplot(rows, columns, place + 1, facecolor="white")
            for place in range(len(splits))
        ]
        for axis, one in zip(axes, splits, strict=True):
            _panel(axis, one, PAPER)
        _legend(figure, axes[0])
        sink = io.BytesIO()
        figure.savefig(sink, format="png", dpi=130, metadata={"Software": None})
    return sink.getvalue()


def _panel(axis: Any, split: SplitAssessment, palette: Palette) -> None:
    axis.plot([0, 1], [0, 1], color=palette.soft, linewidth=0.8)
    items_B = split.after.curve.items_B
    width = 1 / items_B.size
    foot = (np.arange(items_B.size) + 0.5) * width
    heights = FOOT_HEIGHT * items_B / items_B.max()
    axis.bar(foot, heights, 0.9 * width, bottom=-0.02, color=palette.after, alpha=0.2)
    # Moved apart a little, so that two intervals in one bin can be told apart.
    _curve(axis, split.before.curve, palette.before, "before", "s", "--", -0.006)
    _curve(axis, split.after.curve, palette.after, "after", "o", "-", 0.006)
    before, after = (one.figures["ece"].value for one in (split.before, split.after))
    axis.set_title(f"{split.name}\nECE {before:.3f} → {after:.3f}", color=palette.ink)
    axis.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="stated P(manipulated)")
    axis.set_ylabel("share manipulated")
    axis.set_box_aspect(1)


def _curve(
    axis: Any, curve: Curve, colour: str, label: str, marker: str, line: str, shift: float
) -> None:
    shown = np.isfinite(curve.found_B)
    x, y = curve.stated_B[shown] + shift, curve.found_B[shown]
    axis.vlines(x, curve.low_B[shown], curve.high_B[shown], color=colour, linewidth=1.2, alpha=0.7)
    axis.plot(x, y, line, color=colour, marker=marker, markersize=4.5, label=label, linewidth=1.5)


def _legend(figure: Any, axis: Any) -> None:
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=2, frameon=False)
