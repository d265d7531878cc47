"""The drawings of an evaluation; `by_name` goes by judge, in the order of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from moderation.calibration.draws import Floats
from moderation.calibration.estimate import Estimate
from moderation.calibration.metrics import ReliabilityBins
from moderation.cli.chapters.drawing import INK, SERIES, SOFT, drawing, series
from moderation.types import LEVELS_K
from rl.evaluation.roc import Roc
from rl.evaluation.selective import RiskCoverage

_POINTS = 400
_PER_CENT = (0.001, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8)


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most a few hundred points: neighbours closer than the eye can see are left out."""
    keep = np.unique(np.rint(np.stack([x, y]) * _POINTS), axis=1, return_index=True)[1]
    keep = np.union1d(keep, [0, x.size - 1])
    return x[keep], y[keep]


def _legend(axis: Any) -> None:
    """Above the whole figure: it never covers a curve."""
    handles, names = axis.get_legend_handles_labels()
    axis.figure.legend(handles, names, loc="outside upper left", ncols=4)


def roc_and_det(by_name: Mapping[str, Roc]) -> str:
    """ROC, and DET on normal deviate scales, where Gaussian scores give straight lines."""
    with drawing(9.2, 4.3, 2) as result:
        left, right = result.axes
        for k, (name, curve) in enumerate(by_name.items()):
            fpr, tpr = curve.false_positive_rate_DM[0], curve.true_positive_rate_DM[0]
            left.plot(*_thinned(fpr, tpr), label=name, **series(k))
            inside = (fpr > 0) & (tpr < 1)
            x, y = _thinned(fpr[inside], 1 - tpr[inside]) if inside.any() else (fpr[:0], fpr[:0])
            right.plot(norm.ppf(x), norm.ppf(y), **series(k))
        left.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8)
        left.set(title="ROC", xlabel="genuine flagged (FPR)", ylabel="manipulated flagged (TPR)")
        _legend(left)
        ticks = norm.ppf(_PER_CENT)
        names = [f"{100 * share:g} %" for share in _PER_CENT]
        right.set(title="DET", xlabel="genuine flagged (FPR)", ylabel="manipulated passed (miss)")
        right.set_xticks(ticks, names)
        right.set_yticks(ticks, names)
        right.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
        right.plot(ticks[[0, -1]], ticks[[0, -1]], color=SOFT, linewidth=0.8)
    return result.svg


def reliability(by_name: Mapping[str, ReliabilityBins]) -> str:
    """Share manipulated against the probability stated, and how often each was stated."""
    with drawing(9.2, 4.1, 2) as result:
        left, right = result.axes
        left.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8)
        for k, (name, bins) in enumerate(by_name.items()):
            left.plot(bins.probability_DB[0], bins.rate_DB[0], marker="o", label=name, **series(k))
            edges = np.linspace(0, 1, bins.share_DB.shape[1] + 1)
            right.stairs(100 * bins.share_DB[0], edges, label=name, linewidth=1.7, **series(k))
        left.set(xlim=(0, 1), ylim=(0, 1), title="Reliability")
        left.set(xlabel="stated P(manipulated)", ylabel="share manipulated")
        _legend(left)
        right.set(title="How often each was stated", xlabel="stated P(manipulated)")
        right.set(ylabel="% of items", ylim=(0, None))
    return result.svg


def distributions(by_name: Mapping[str, Floats], y_N: Floats) -> str:
    """Scores of each judge beside the labels, in half levels."""
    edges = np.arange(-0.25, LEVELS_K - 0.25, 0.5)
    with drawing(9.2, 3.4) as result:
        (axis,) = result.axes
        share = np.histogram(y_N, edges)[0] / max(1, y_N.size)
        axis.stairs(100 * share, edges, fill=True, color=SOFT, alpha=0.35, label="label y")
        for k, (name, score_N) in enumerate(by_name.items()):
            share = np.histogram(score_N, edges)[0] / max(1, score_N.size)
            axis.stairs(100 * share, edges, label=name, linewidth=1.7, **series(k))
        axis.set(xlabel="0 wholly fabricated … 9 wholly authentic", ylabel="% of items")
        axis.set_xticks(range(LEVELS_K))
        _legend(axis)
    return result.svg


def score_against_label(by_name: Mapping[str, Floats], y_N: Floats) -> str:
    """Every item: its label across, its score up; one picture a judge."""
    columns = len(by_name)
    with drawing(min(9.2, 4.4 * columns), 4.0, columns) as result:
        for k, (axis, (name, score_N)) in enumerate(zip(result.axes, by_name.items(), strict=True)):
            keep = np.arange(y_N.size)[:: max(1, y_N.size // 2000)]
            axis.plot([0, 9], [0, 9], color=SOFT, linewidth=0.8)
            axis.scatter(y_N[keep], score_N[keep], s=9, alpha=0.35, color=SERIES[k % 6], lw=0)
            axis.set(title=name, xlabel="label y", ylabel="score", xlim=(-0.3, 9.3))
            axis.set(ylim=(-0.3, 9.3))
    return result.svg


def pit_histogram(by_name: Mapping[str, Floats]) -> str:
    """Where labels fall in the judge's own distributions; flat when it knows how sure to be."""
    edges = np.linspace(0, 1, 11)
    with drawing(9.2, 3.2) as result:
        (axis,) = result.axes
        axis.axhline(1, color=SOFT, linewidth=0.8)
        for k, (name, pit_N) in enumerate(by_name.items()):
            density = np.histogram(pit_N, edges, density=True)[0]
            axis.stairs(density, edges, label=name, linewidth=1.7, **series(k))
        axis.set(xlabel="probability integral transform", ylabel="density", xlim=(0, 1))
        axis.set_ylim(bottom=0)
        _legend(axis)
    return result.svg


def risk_and_coverage(panels: Mapping[str, Mapping[str, RiskCoverage]]) -> str:
    """Risk of the items that are kept; one panel a kind of risk."""
    with drawing(9.2, 3.7, len(panels)) as result:
        for axis, (title, by_name) in zip(result.axes, panels.items(), strict=True):
            for k, (name, curve) in enumerate(by_name.items()):
                x, y = curve.share_DM[0], curve.risk_DM[0]
                # The first few items make a jagged start that says nothing.
                keep = x >= min(0.02, x[-1])
                axis.plot(x[keep], y[keep], label=name, **series(k))
            axis.set(title=title, xlabel="share of items kept, surest first", xlim=(0, 1))
            axis.set_ylim(bottom=0)
        _legend(result.axes[0])
    return result.svg


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of a forest plot: a name, and an estimate of each judge (None: not measured)."""

    name: str
    estimates: tuple[Estimate | None, ...]


def forest(rows: Sequence[ForestRow], names: Sequence[str], label: str, reference: float) -> str:
    """Estimates with their intervals, one row a slice, one mark a judge, a line at `reference`."""
    with drawing(9.2, 0.9 + 0.27 * len(rows) * max(1, len(names) ** 0.5)) as result:
        (axis,) = result.axes
        axis.axvline(reference, color=SOFT, linewidth=0.8)
        for k, name in enumerate(names):
            height = np.arange(len(rows)) + (k - (len(names) - 1) / 2) * 0.24
            found = [row.estimates[k] for row in rows]
            value = np.array([np.nan if e is None else e.value for e in found])
            low = np.array([np.nan if e is None else e.low for e in found])
            high = np.array([np.nan if e is None else e.high for e in found])
            axis.hlines(height, low, high, color=SERIES[k % len(SERIES)], linewidth=1.5)
            axis.plot(value, height, "osD^vP"[k % 6], color=SERIES[k % 6], ms=5, label=name)
        axis.set_yticks(range(len(rows)), [row.name for row in rows])
        axis.tick_params(axis="y", labelcolor=INK)
        axis.set(xlabel=label, ylim=(len(rows) - 0.4, -0.6))
        _legend(axis)
    return result.svg
