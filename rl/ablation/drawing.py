"""Figures of a report as PNG and SVG files, drawn without a display."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, SOFT, LINE = "#1d2430", "#69707d", "#dfe2e7"
# Okabe and Ito's colours, which the colour-blind tell apart; the dashes do so without any colour.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":")
_SETTINGS = {
    "svg.hashsalt": "ablation",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
DOTS_PER_INCH = 140


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of one row; 28 rows are told apart."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index // len(COLOURS) % len(DASHES)],
    }


@contextmanager
def picture(path: Path, *, width: float, height: float) -> Iterator[Any]:
    """A figure of so many inches, written as `path`.png and `path`.svg when the block ends."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=DOTS_PER_INCH)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})


def panels(figure: Any, count: int, columns: int, **options: Any) -> list[Any]:
    """`count` axes in rows of `columns`; options: those of `Figure.subplots`."""
    rows = -(-count // columns)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for spare in axes[count:]:
        spare.set_visible(False)
    return list(axes[:count])


def legend(figure: Any, axis: Any, *, columns: int = 4) -> None:
    """Above the whole figure: it never covers a curve."""
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=columns)
