"""Two distributions of scores over one another: then and now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from moderation.calibration.draws import Floats
from moderation.types import LEVELS_K
from moderation.web.plots.svg import Scale, figure, line, steps, text

BINS = 18
WIDTH, HEIGHT = 640.0, 300.0


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Scores from `low` up to `high`: the share of the fit's, and of the recent ones."""

    low: float
    high: float
    then: float
    now: float


def score_bins(reference_N: Floats, recent_M: Floats) -> list[ScoreBin]:
    """Half a level each; shares of nothing are 0."""
    edges = np.linspace(0.0, LEVELS_K - 1.0, BINS + 1)

    def share(value: Floats) -> Floats:
        count = np.histogram(value, edges)[0].astype(np.float64)
        return count / max(value.size, 1)

    then, now = share(reference_N), share(recent_M)
    return [
        ScoreBin(float(edges[k]), float(edges[k + 1]), float(then[k]), float(now[k]))
        for k in range(BINS)
    ]


def drift_plot(bins: Sequence[ScoreBin], name: str) -> Markup:
    """Outlines of both, each named at its highest bin."""
    top = max(max(one.then, one.now) for one in bins) or 1.0
    x = Scale(bins[0].low, bins[-1].high, 56.0, 624.0)
    y = Scale(0.0, 1.1 * top, 240.0, 16.0)
    marks = [line(x(0), y(0), x(bins[-1].high), y(0), "axis")]
    for level in range(LEVELS_K):
        marks.append(text(x(level), 258, f"{level}", text_anchor="middle"))
    for share in (0.0, top / 2, top):
        marks.append(line(x(0), y(share), x(bins[-1].high), y(share), "grid"))
        marks.append(text(48, y(share) + 4, f"{100 * share:.0f} %", text_anchor="end"))
    words = "score, from 0 wholly fabricated to 9 wholly authentic"
    marks.append(text(340, 290, words, text_anchor="middle"))
    for which, kind in (("then", "then"), ("now", "now")):
        shares = [getattr(one, which) for one in bins]
        points = [(x(bins[0].low), y(0))]
        for one, share in zip(bins, shares, strict=True):
            points += [(x(one.low), y(share)), (x(one.high), y(share))]
        marks.append(steps([*points, (x(bins[-1].high), y(0))], kind))
    told = (
        "Scores when the calibrator was fitted, dashed, and of late, drawn through; "
        "the table has the numbers."
    )
    return figure(name, told, WIDTH, HEIGHT, marks)
