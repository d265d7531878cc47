"""Matplotlib drawings as inline SVG that follow the page into light and dark.

Colours are stand-ins that become CSS variables of the page; words stay text, in its font.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INK, SOFT, LINE = "#010203", "#010204", "#010205"
SERIES = ("#020301", "#020302", "#020303", "#020304", "#020305", "#020306")
_VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    **{colour: f"--series-{k}" for k, colour in enumerate(SERIES)},
}
FULL_WIDTH_INCHES = 9.2
DASHES = ("-", "--", "-.", ":")


def series(index: int) -> dict[str, Any]:
    """Colour and dashes of one judge: told apart without the colour, too."""
    return {"color": SERIES[index % len(SERIES)], "linestyle": DASHES[index % len(DASHES)]}


class Drawing:
    """A figure with its axes, in a row; `svg` is there after the `drawing` block."""

    def __init__(self, figure: Any, axes: list[Any]) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(width: float, height: float, columns: int = 1) -> Iterator[Drawing]:
    """A figure of `columns` axes, `width` by `height` inches, drawn without a display."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "evaluation",
        "text.parse_math": False,
        "font.size": 10.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "axes.edgecolor": SOFT,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.titlesize": 10.5,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": SOFT,
        "ytick.labelcolor": SOFT,
        "grid.color": LINE,
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "lines.linewidth": 1.7,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = [figure.add_subplot(1, columns, k + 1) for k in range(columns)]
        result = Drawing(figure, axes)
        yield result
        sink = io.BytesIO()
        # Words are set in the reader's font: what Matplotlib's own lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    result.svg = themed(sink.getvalue().decode("utf-8"))


def themed(svg: str) -> str:
    """The `<svg>` element alone, its stand-in colours as CSS variables, its font the page's."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Groups are never referred to, and two drawings would use the same names.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"(font: (?:\w+ )*[\d.]+px) [^;\"]*", r"\1 system-ui, sans-serif", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    head, rest = svg.split(">", 1)
    # A narrow drawing is not blown up: its letters are as large as those of a wide one.
    width = re.search(r'viewBox="0 0 ([\d.]+) ', head)
    share = min(1.0, float(width[1]) / (72 * FULL_WIDTH_INCHES)) if width else 1.0
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} style="max-width: {100 * share:.1f}%">{rest}'
