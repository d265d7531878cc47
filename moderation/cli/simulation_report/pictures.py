"""The picture of a simulation: harm, breaches, and how long reviews wait, by order."""

import io
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from moderation.simulation.experiment import Comparison

INK, SOFT, LINE = "#1d2430", "#69707d", "#dfe2e7"
# Okabe and Ito's colours, which the colour-blind tell apart; the dashes do so without any colour.
COLOURS = (SOFT, "#000000", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2", "#009e73", "#d55e00")
DASHES = (":", "--", "-.", (0, (5, 1)), "--", "-", "--", "-")
_SETTINGS = {
    "svg.hashsalt": "simulation",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
_HOURS = np.geomspace(0.05, 120.0, 200)


def draw(comparison: Comparison, path: Path) -> str:
    """Write the picture as PNG, and return it as an `<svg>` element."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(10.0, 6.4), layout="constrained")
        top, bottom = figure.subplots(2, 2).tolist()
        _harm(top[0], comparison)
        _breaches(top[1], comparison)
        _waiting(bottom[0], comparison, "all reviews decided within …", "wait_R")
        _waiting(bottom[1], comparison, "the tenth that would do most harm", "top_wait_R")
        names = bottom[0].get_legend_handles_labels()
        figure.legend(*names, loc="outside lower center", ncols=4)
        figure.savefig(path, dpi=140)
        sink = io.BytesIO()
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    svg = sink.getvalue().decode("utf-8")
    return svg[svg.index("<svg") :]


def _harm(axis: Any, comparison: Comparison) -> None:
    """Dots are seeds, bars intervals of their mean."""
    labels = [one.label for one in comparison.disciplines]
    for row, label in enumerate(labels):
        ratios = comparison.harm_ratios(label)
        found = comparison.harm_ratio(label)
        axis.scatter(ratios, [row] * len(ratios), s=9, alpha=0.35, lw=0, color=COLOURS[row])
        _bar(axis, row, found.value, found.low, found.high, COLOURS[row], "o")
        axis.annotate(
            f"{found.value:.2f}",
            (found.value, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    _rows(axis, labels)
    axis.set(title=f"harm, {labels[0]} = 1 (dots: seeds; bar: 95 %)", xlim=(0, None))


def _breaches(axis: Any, comparison: Comparison) -> None:
    labels = [one.label for one in comparison.disciplines]
    kinds = (("SLA", "sla_breach_share", "o", -0.14), ("legal", "legal_breach_share", "D", 0.14))
    for name, field, marker, shift in kinds:
        for row, label in enumerate(labels):
            found = comparison.of(label, attrgetter(field))
            told = name if row == 0 else None
            colour = COLOURS[5] if name == "SLA" else COLOURS[7]
            _bar(axis, row + shift, found.value, found.low, found.high, colour, marker, told)
    _rows(axis, labels)
    axis.set(title="share of reviews that came too late", xlim=(-0.02, 1))
    axis.legend(loc="lower right")


def _bar(
    axis: Any,
    row: float,
    value: float,
    low: float,
    high: float,
    colour: str,
    marker: str,
    label: str | None = None,
) -> None:
    if np.isfinite(low):
        axis.plot([low, high], [row, row], color=colour, lw=2)
    axis.plot([value], [row], marker, color=colour, ms=5, label=label)


def _rows(axis: Any, labels: list[str]) -> None:
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")


def _waiting(axis: Any, comparison: Comparison, title: str, field: str) -> None:
    """Reviews of all seeds together; what is never decided keeps a curve below 1."""
    for row, discipline in enumerate(comparison.disciplines):
        waits = [getattr(run, field) for run in comparison.runs[discipline.label]]
        wait_R = np.sort(np.concatenate(waits))
        share = np.searchsorted(wait_R, _HOURS, side="right") / max(1, wait_R.size)
        axis.plot(_HOURS, share, color=COLOURS[row], ls=DASHES[row], label=discipline.label)
    axis.set_xscale("log")
    axis.set(title=title, xlabel="hours since arrival", ylim=(0, 1), xlim=(_HOURS[0], _HOURS[-1]))
    axis.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
