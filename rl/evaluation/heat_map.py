"""A heat map of degradations by level, each cell with its level and its figure."""

from typing import Any

import numpy as np

from moderation.cli.chapters.drawing import drawing
from rl.probes.robustness import HeatMap

# Dark blue (chance or worse) to pale yellow (perfect): cividis, told apart by lightness alone.
LOW, HIGH = 0.4, 1.0
_WORDS = ("kbit per s", "quality", "scale", "sigma", "strength", "SNR", "RT60", "CRF")


def heat_map_drawing(heat: HeatMap) -> str:
    """AUC in colour and in words; rows are degradations, from mild to strong."""
    import matplotlib as mpl

    rows, columns = heat.value_RL.shape
    colours = mpl.colormaps["cividis"]
    names = [
        ", ".join(filter(None, (name, _split(levels[0])[1])))
        for name, levels in zip(heat.names, heat.levels, strict=True)
    ]
    with drawing(min(9.2, 1.7 + 0.95 * columns), 0.55 + 0.42 * rows) as result:
        (axis,) = result.axes
        for row in range(rows):
            for column, level in enumerate(heat.levels[row]):
                value = heat.value_RL[row, column]
                if np.isfinite(value):
                    _cell(axis, row, column, _split(level)[0], value, colours)
        axis.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        axis.set_yticks(range(rows), names)
        axis.set_xticks([])
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    return result.svg


def _split(level: str) -> tuple[str, str]:
    """The amount, and what it is an amount of, which stands at the row."""
    word = next((word for word in _WORDS if word in level), "")
    return level.replace(word, "").strip(), word


def _cell(axis: Any, row: int, column: int, level: str, value: float, colours: Any) -> None:
    from matplotlib.patches import Rectangle

    share = min(max((value - LOW) / (HIGH - LOW), 0.0), 1.0)
    red, green, blue, _ = colours(share)
    ink = "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"
    box = Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, color=(red, green, blue), lw=0)
    axis.add_patch(box)
    axis.text(column, row - 0.2, level, color=ink, ha="center", va="center", size=7.5)
    figure = f"{value:.2f}".removeprefix("0")
    axis.text(column, row + 0.17, figure, color=ink, ha="center", va="center", size=10)
