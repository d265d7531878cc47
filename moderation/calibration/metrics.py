"""Are probabilities of manipulation what they say? One value a draw, (D,), unless said otherwise.

probability_N is P(manipulated) in [0, 1]; manipulated is class 1.
"""

from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Draws, Flags, Floats, divide

BINS = 15
_EPSILON = float(np.finfo(np.float64).eps)


def brier(probability_N: Floats, is_manipulated_N: Flags, draws: Draws) -> Floats:
    """Mean squared error of the probability (Brier 1950)."""
    return draws.mean((probability_N - is_manipulated_N) ** 2)


def negative_log_likelihood(probability_N: Floats, is_manipulated_N: Flags, draws: Draws) -> Floats:
    """Mean of -ln of the probability given to the truth, clipped as scikit-learn's `log_loss`."""
    given = np.where(is_manipulated_N, probability_N, 1 - probability_N)
    return draws.mean(-np.log(np.clip(given, _EPSILON, 1 - _EPSILON)))


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """What was said and what happened in each bin; NaN in an empty one.

    share_DB: of the items. probability_DB: mean stated. rate_DB: share manipulated.
    """

    share_DB: Floats
    probability_DB: Floats
    rate_DB: Floats

    @property
    def expected_error_D(self) -> Floats:
        """Mean absolute gap between what was said and what happened, over the items."""
        gap_DB = np.abs(self.probability_DB - self.rate_DB)
        error: Floats = np.nansum(self.share_DB * gap_DB, axis=1)
        return error


def reliability_bins(
    probability_N: Floats, is_manipulated_N: Flags, draws: Draws, bins: int = BINS
) -> ReliabilityBins:
    """Bins of equal width, closed below; the last one holds 1 as well."""
    bin_N = np.minimum((probability_N * bins).astype(np.int64), bins - 1)
    member_NB = np.eye(bins)[bin_N]
    stated = draws.total(member_NB * probability_N[:, None])
    happened = draws.total(member_NB * is_manipulated_N[:, None])
    return _bins(draws.total(member_NB), stated, happened)


def equal_mass_bins(
    probability_N: Floats, is_manipulated_N: Flags, draws: Draws, bins: int = BINS
) -> ReliabilityBins:
    """Bins of equally many items (to one), cut at ranks floor(k n / bins) of each draw's items.

    Weighted items are cut at equal shares of the weight, through an item where need be.

    Nixon et al. 2019 (arXiv:1904.01685), adaptive calibration error. A source that is drawn
    twice puts two copies of its items next to each other, and a cut may fall between them.
    """
    order = np.argsort(probability_N, kind="stable")
    weight_DN = draws.weight(order)
    start = np.zeros((draws.draws, 1))

    def running(value_DN: Floats) -> Floats:
        return np.concatenate([start, np.cumsum(value_DN, axis=1)], axis=1)

    rank = running(weight_DN)
    cut_DB = np.arange(bins + 1) * rank[:, -1:] / bins
    if draws.weight_N is None:
        cut_DB = np.floor(cut_DB + 1e-9)

    def between_cuts(value_DN: Floats) -> Floats:
        sums = running(value_DN)
        rows = zip(cut_DB, rank, sums, strict=True)
        return np.diff([np.interp(cuts, ranks, at) for cuts, ranks, at in rows], axis=1)

    return _bins(
        np.diff(cut_DB, axis=1),
        between_cuts(weight_DN * probability_N[order]),
        between_cuts(weight_DN * is_manipulated_N[order]),
    )


def _bins(items_DB: Floats, stated_DB: Floats, happened_DB: Floats) -> ReliabilityBins:
    return ReliabilityBins(
        divide(items_DB, items_DB.sum(axis=1, keepdims=True)),
        divide(stated_DB, items_DB),
        divide(happened_DB, items_DB),
    )
