"""The pictures of an ablation: N items, rows in the order of the table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from moderation.calibration.draws import Floats
from moderation.calibration.estimate import Estimate
from moderation.types import LEVELS_K
from rl.ablation.curves import Curve
from rl.ablation.drawing import COLOURS, INK, SOFT, legend, line_style, panels, picture
from rl.ablation.figures import FIGURES

HALF_LEVELS = np.arange(-0.25, LEVELS_K - 0.25, 0.5)
_DOTS = 2000


def learning_curves(path: Path, curves: Mapping[str, Mapping[str, Curve]]) -> None:
    """One panel a figure, one line a row, the range of its seeds as band.

    curves: label of the figure -> row -> curve.
    """
    rows = list(dict.fromkeys(row for by_row in curves.values() for row in by_row))
    with picture(path, width=4.0 * len(curves), height=4.0) as figure:
        axes = panels(figure, len(curves), len(curves))
        for axis, (label, by_row) in zip(axes, curves.items(), strict=True):
            for row, curve in by_row.items():
                style = line_style(rows.index(row))
                axis.plot(curve.step_M, curve.mean_M, label=row, marker=".", **style)
                axis.fill_between(curve.step_M, *curve.band_2M, color=style["color"], alpha=0.12)
            axis.set(title=label, xlabel="optimiser step of the last stage")
        fullest = max(axes, key=lambda axis: len(axis.get_lines()))
        legend(figure, fullest, columns=5)


def reward_curves(path: Path, curves: Mapping[str, Curve]) -> None:
    """A panel a row, each with its own scale: rewards of unlike objectives cannot be compared."""
    with picture(path, width=10.0, height=2.0 * -(-len(curves) // 5) + 0.4) as figure:
        axes = panels(figure, len(curves), 5)
        for axis, (row, curve) in zip(axes, curves.items(), strict=True):
            axis.plot(curve.step_M, curve.mean_M, color=COLOURS[0], marker=".", ms=3)
            axis.fill_between(curve.step_M, *curve.band_2M, color=COLOURS[0], alpha=0.15)
            axis.set_title(row)
        figure.supxlabel("optimiser step of the last stage", fontsize=9)
        figure.supylabel("reward", fontsize=9)


def predicted_against_true(path: Path, scores: Mapping[str, Floats], y_N: Floats) -> None:
    """A panel a row: the label across, the score up, the mean score of each level as a line."""
    with picture(path, width=10.0, height=2.4 * -(-len(scores) // 5) + 0.3) as figure:
        axes = panels(figure, len(scores), 5, sharex=True, sharey=True)
        for axis, (row, score_N) in zip(axes, scores.items(), strict=True):
            y_of = np.tile(y_N, score_N.size // y_N.size)
            keep = np.arange(y_of.size)[:: max(1, y_of.size // _DOTS)]
            axis.plot([0, 9], [0, 9], color=SOFT, linewidth=0.8)
            axis.scatter(y_of[keep], score_N[keep], s=6, alpha=0.25, color=COLOURS[0], lw=0)
            level_N = np.rint(y_of)
            levels = np.unique(level_N)
            means = [score_N[level_N == level].mean() for level in levels]
            axis.plot(levels, means, color=COLOURS[1], marker="o", ms=3)
            axis.set(title=row, xlim=(-0.4, 9.4), ylim=(-0.4, 9.4))
            axis.set_xticks(range(0, LEVELS_K, 3))
            axis.set_yticks(range(0, LEVELS_K, 3))
        figure.supxlabel("label y (orange: mean score of each level)", fontsize=9)
        figure.supylabel("score", fontsize=9)


def score_histograms(path: Path, scores: Mapping[str, Floats], y_N: Floats) -> None:
    """A panel a row: where its scores lie, in half levels, against where the labels lie."""
    label_share = np.histogram(y_N, HALF_LEVELS)[0] / y_N.size
    with picture(path, width=10.0, height=2.0 * -(-len(scores) // 5) + 0.5) as figure:
        axes = panels(figure, len(scores), 5, sharex=True, sharey=True)
        for axis, (row, score_N) in zip(axes, scores.items(), strict=True):
            share = np.histogram(score_N, HALF_LEVELS)[0] / score_N.size
            axis.stairs(
                100 * label_share, HALF_LEVELS, fill=True, color=SOFT, alpha=0.35, label="labels"
            )
            axis.stairs(100 * share, HALF_LEVELS, color=COLOURS[0], linewidth=1.5, label="scores")
            axis.set_title(row)
            axis.set_xticks(range(0, LEVELS_K, 3))
        legend(figure, axes[0])
        figure.supxlabel("0 wholly fabricated … 9 wholly authentic", fontsize=9)
        figure.supylabel("% of items", fontsize=9)


def weight_sweep(
    path: Path, names: Sequence[str], by_split: Mapping[str, Mapping[float, Mapping[str, Estimate]]]
) -> None:
    """A panel a figure: its value over the refinement weight β, one line a split, with intervals.

    by_split: split -> β -> figure -> estimate. β = 0 has its place at the left end.
    """
    with picture(path, width=3.3 * len(names), height=3.4) as figure:
        axes = panels(figure, len(names), len(names))
        for axis, name in zip(axes, names, strict=True):
            for k, (split, by_weight) in enumerate(by_split.items()):
                weights = sorted(by_weight)
                found = [by_weight[weight].get(name) for weight in weights]
                place = np.arange(len(weights)) + 0.08 * (k - (len(by_split) - 1) / 2)
                value = np.array([np.nan if e is None else e.value for e in found])
                low = np.array([np.nan if e is None else e.low for e in found])
                high = np.array([np.nan if e is None else e.high for e in found])
                axis.vlines(place, low, high, color=COLOURS[k], linewidth=1.1)
                axis.plot(place, value, marker="o", ms=4, label=split, **line_style(k))
                axis.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights])
            axis.set(title=FIGURES[name].label, xlabel="refinement weight β")
            axis.tick_params(labelcolor=INK)
        legend(figure, axes[0])
