"""Split conformal intervals of the graded score y in [0, 9].

If calibration items and the next item are exchangeable, its y lies in the interval with
probability at least `coverage`, whatever the judge is worth (Vovk et al. 2005, Lei et al. 2018).
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from moderation.calibration.digits import digit_quantile, expected_scores
from moderation.calibration.draws import Floats
from moderation.types import LEVELS_K

TOP = LEVELS_K - 1.0


def items_min(coverage: float) -> int:
    """Fewest calibration items with a finite quantile: n with ceil((n + 1) coverage) <= n."""
    return math.ceil(coverage / (1.0 - coverage) - 1e-9)


def conformal_quantile(
    nonconformity_N: Floats, coverage: float, weight_N: Floats | None = None
) -> float:
    """The ceil((N + 1) coverage)-th smallest nonconformity; infinity where N is too small.

    With weights, the quantile of Tibshirani et al. 2019 (arXiv:1904.06019), eq. 7, whose unknown
    weight of the next item is taken as the largest there is: the interval errs on the wide side.
    """
    if not nonconformity_N.size:
        return math.inf
    weight_N = np.ones(nonconformity_N.size) if weight_N is None else weight_N
    order = np.argsort(nonconformity_N, kind="stable")
    share_N = np.cumsum(weight_N[order]) / (weight_N.sum() + weight_N.max())
    place = int(np.searchsorted(share_N, coverage - 1e-12))
    return float(nonconformity_N[order[place]]) if place < order.size else math.inf


class IntervalMethod(Protocol):
    """How far a label is from a digit distribution, and which labels are within a distance."""

    name: ClassVar[str]

    def nonconformity(self, digit_NK: Floats, y_N: Floats, coverage: float) -> Floats:
        """How ill each label fits, (N,)."""
        ...

    def interval(
        self, digit_NK: Floats, quantile_N: Floats, coverage: float
    ) -> tuple[Floats, Floats]:
        """Lowest and highest label whose nonconformity is at most `quantile_N`, within 0..9."""
        ...


@dataclass(frozen=True, slots=True)
class AbsoluteResidual:
    """|y - score|: intervals of one width, around the expected score."""

    name: ClassVar[str] = "absolute"

    def nonconformity(self, digit_NK: Floats, y_N: Floats, coverage: float) -> Floats:
        residual_N: Floats = np.abs(y_N - expected_scores(digit_NK))
        return residual_N

    def interval(
        self, digit_NK: Floats, quantile_N: Floats, coverage: float
    ) -> tuple[Floats, Floats]:
        score_N = expected_scores(digit_NK)
        return _ordered(score_N - quantile_N, score_N + quantile_N)


@dataclass(frozen=True, slots=True)
class QuantileResidual:
    """Conformalised quantile regression (Romano et al. 2019, arXiv:1905.03222, eq. 6).

    The quantiles are those of the digit distribution: wide where the judge is unsure.
    """

    name: ClassVar[str] = "cqr"

    def nonconformity(self, digit_NK: Floats, y_N: Floats, coverage: float) -> Floats:
        low_N, high_N = _quantiles(digit_NK, coverage)
        residual_N: Floats = np.maximum(low_N - y_N, y_N - high_N)
        return residual_N

    def interval(
        self, digit_NK: Floats, quantile_N: Floats, coverage: float
    ) -> tuple[Floats, Floats]:
        low_N, high_N = _quantiles(digit_NK, coverage)
        return _ordered(low_N - quantile_N, high_N + quantile_N)


METHODS: tuple[IntervalMethod, ...] = (QuantileResidual(), AbsoluteResidual())


def _quantiles(digit_NK: Floats, coverage: float) -> tuple[Floats, Floats]:
    miss = 1.0 - coverage
    return digit_quantile(digit_NK, miss / 2), digit_quantile(digit_NK, 1 - miss / 2)


def _ordered(low_N: Floats, high_N: Floats) -> tuple[Floats, Floats]:
    """Cut to the scale; an interval turned inside out, which holds no label, is its middle."""
    middle_N = (low_N + high_N) / 2
    low_N = np.where(low_N <= high_N, low_N, middle_N)
    high_N = np.where(low_N <= high_N, high_N, middle_N)
    return np.clip(low_N, 0.0, TOP), np.clip(high_N, 0.0, TOP)
