"""Does the score follow the graded label y in [0, 9]? One value a draw, (D,).

K score levels 0..9.
"""

import numpy as np
import numpy.typing as npt

from moderation.calibration.draws import Counts, Draws, Flags, Floats, divide
from moderation.types import LEVELS_K
from rl.evaluation.roc import cumulate, ends_of_ties

_ROWS = 256


def mean_absolute_error(score_N: Floats, y_N: Floats, draws: Draws) -> Floats:
    """Mean of |score - y|."""
    return draws.mean(np.abs(score_N - y_N))


def pearson(score_N: Floats, y_N: Floats, draws: Draws) -> Floats:
    """Linear correlation; NaN where either is constant in a draw."""
    x, y = score_N - score_N.mean(), y_N - y_N.mean()
    total = draws.total(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)).T
    n, sum_x, sum_y, sum_xx, sum_yy, sum_xy = total
    varies = _varies(score_N, draws) & _varies(y_N, draws)
    spread = (n * sum_xx - sum_x**2) * (n * sum_yy - sum_y**2)
    scale = np.sqrt(np.maximum(spread, 0))
    return divide(n * sum_xy - sum_x * sum_y, np.where(varies, scale, 0.0))


def _varies(value_N: Floats, draws: Draws) -> Flags:
    """Whether a draw holds two different values; exact, where a variance would round."""
    lowest_S = np.full(draws.sources, np.inf)
    highest_S = np.full(draws.sources, -np.inf)
    np.minimum.at(lowest_S, draws.place_N, value_N)
    np.maximum.at(highest_S, draws.place_N, value_N)
    is_drawn_DS = draws.count_DS > 0
    least_D = np.min(np.where(is_drawn_DS, lowest_S, np.inf), axis=1)
    most_D = np.max(np.where(is_drawn_DS, highest_S, -np.inf), axis=1)
    varies: Flags = most_D > least_D
    return varies


def _mid_ranks(value_N: Floats, draws: Draws) -> tuple[Floats, Floats, Counts]:
    """Centred mid-rank and weight of each distinct value, (D, M), and each item's value in M."""
    order = np.argsort(value_N, kind="stable")
    end_M = ends_of_ties(value_N[order])
    upto = cumulate(draws.weight(order), end_M)
    held = np.diff(upto, axis=1, prepend=0)
    group_N = np.empty(value_N.size, dtype=np.int64)
    group_N[order] = np.repeat(np.arange(end_M.size), np.diff(end_M, prepend=-1))
    # Mid-rank upto - (held - 1) / 2, less the mean rank (n + 1) / 2.
    return upto - (held + upto[:, -1:]) / 2, held, group_N


def spearman(score_N: Floats, y_N: Floats, draws: Draws) -> Floats:
    """Pearson correlation of mid-ranks; NaN where either is constant in a draw."""
    rank_x, held_x, group_x = _mid_ranks(score_N, draws)
    rank_y, held_y, group_y = _mid_ranks(y_N, draws)
    product = np.take(rank_x, group_x, axis=1)
    product *= np.take(rank_y, group_y, axis=1)
    joint = np.einsum("dn,dn->d", product, draws.weight())
    spread_x = np.einsum("dm,dm,dm->d", held_x, rank_x, rank_x)
    spread_y = np.einsum("dm,dm,dm->d", held_y, rank_y, rank_y)
    return divide(joint, np.sqrt(spread_x * spread_y))


def kendall_tau_b(score_N: Floats, y_N: Floats, draws: Draws) -> Floats:
    """Kendall's tau-b (1945): concordant less discordant pairs, corrected for ties.

    The surplus of concordant pairs between two sources does not depend on the draw: it is
    counted once, (S, S), in time N^2, and each draw is a quadratic form of it. Pass all draws
    at once, not in blocks.
    """
    order = np.argsort(draws.place_N, kind="stable")
    x, y, place = score_N[order], y_N[order], draws.place_N[order]
    x_rank = np.unique(x, return_inverse=True)[1].astype(np.int32)
    y_rank = np.unique(y, return_inverse=True)[1].astype(np.int32)
    start_S = np.flatnonzero(np.diff(place, prepend=-1))
    count_DS = draws.count_DS[:, place[start_S]]
    surplus_D = np.zeros(draws.draws)
    for low in range(0, x.size, _ROWS):
        rows = slice(low, low + _ROWS)
        sign = _sign(x_rank[rows], x_rank) * _sign(y_rank[rows], y_rank)
        by_column = np.add.reduceat(sign, start_S, axis=1, dtype=np.float64)
        # A source whose rows are cut by the end of this run adds its rest in the next one.
        row_start = np.flatnonzero(np.diff(place[rows], prepend=-1))
        part_RS = np.add.reduceat(by_column, row_start, axis=0)
        of_rows_DR = draws.count_DS[:, place[rows][row_start]]
        surplus_D += np.einsum("dr,dr->d", of_rows_DR, count_DS @ part_RS.T)
    pairs = [_tied_pairs(value, draws) for value in (score_N, y_N)]
    n_D = draws.total(np.ones((score_N.size, 1)))[:, 0]
    all_pairs = n_D * (n_D - 1) / 2
    return divide(surplus_D / 2, np.sqrt((all_pairs - pairs[0]) * (all_pairs - pairs[1])))


def _sign(rank_R: npt.NDArray[np.int32], rank_N: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """-1, 0 or 1 for every pair, int8 (R, N)."""
    above = (rank_R[:, None] > rank_N).view(np.int8)
    sign: npt.NDArray[np.int8] = above - (rank_R[:, None] < rank_N).view(np.int8)
    return sign


def _tied_pairs(value_N: Floats, draws: Draws) -> Floats:
    """Pairs of equal values in each draw."""
    order = np.argsort(value_N, kind="stable")
    end_M = ends_of_ties(value_N[order])
    parts = []
    for block in draws.blocks():
        held = np.diff(cumulate(block.weight(order), end_M), axis=1, prepend=0)
        parts.append(np.einsum("dm,dm->d", held, held - 1) / 2)
    return np.concatenate(parts)


def two_point_cdf(y_N: Floats) -> Floats:
    """CDF over the levels, (N, K), of a graded label as a mixture of its two nearest levels.

    The mixture has mean y; a whole y is one level.
    """
    level_K = np.arange(LEVELS_K)
    cdf: Floats = np.clip(level_K + 1 - y_N[:, None], 0.0, 1.0)
    return cdf


def ranked_probability_scores(digit_NK: Floats, y_N: Floats) -> Floats:
    """CRPS of a digit distribution, (N,): squared distance of its CDF to the label's.

    Epstein 1969; for a whole y it is the continuous score of Gneiting and Raftery 2007, eq. 20.
    """
    gap_NK = np.cumsum(digit_NK, axis=1) - two_point_cdf(y_N)
    scores: Floats = np.sum(gap_NK[:, :-1] ** 2, axis=1)
    return scores


def crps(digit_NK: Floats, y_N: Floats, draws: Draws) -> Floats:
    """Mean of `ranked_probability_scores`."""
    return draws.mean(ranked_probability_scores(digit_NK, y_N))


def randomised_pit(digit_NK: Floats, y_N: Floats, *, seed: int = 0) -> Floats:
    """Probability integral transform, (N,): uniform on [0, 1] for a calibrated judge.

    A level is drawn from the label's two-point mixture, then a point between the CDF below and
    at that level (Czado, Gneiting and Held 2009, eq. 1).
    """
    generator = np.random.default_rng(seed)
    low = np.floor(y_N)
    level = (low + (generator.random(y_N.size) < y_N - low)).astype(np.int64)
    cdf = np.concatenate([np.zeros((y_N.size, 1)), np.cumsum(digit_NK, axis=1)], axis=1)
    row = np.arange(y_N.size)
    below, at = cdf[row, level], cdf[row, level + 1]
    pit: Floats = np.clip(below + generator.random(y_N.size) * (at - below), 0.0, 1.0)
    return pit


def wasserstein(score_N: Floats, y_N: Floats, draws: Draws) -> Floats:
    """1-Wasserstein distance between the distributions of scores and of labels, in levels."""
    value = np.concatenate([score_N, y_N])
    order = np.argsort(value, kind="stable")
    signed = draws.weight(order % score_N.size) * np.where(order < score_N.size, 1.0, -1.0)
    np.cumsum(signed, axis=1, out=signed)
    np.abs(signed, out=signed)
    area = signed[:, :-1] @ np.diff(value[order])
    return divide(area, draws.total(np.ones((score_N.size, 1)))[:, 0])


def scale_use(score_N: Floats, draws: Draws) -> Floats:
    """Effective number of levels in use over their number, in (0, 1].

    exp(entropy) of the histogram of scores rounded to the nearest level, over K: 1 when all
    levels are used alike, 1 / K when every item gets the same level.
    """
    held = draws.total(np.eye(LEVELS_K)[np.rint(score_N).astype(np.int64)])
    share = divide(held, held.sum(axis=1, keepdims=True))
    entropy = -np.sum(share * np.log(np.where(share > 0, share, 1.0)), axis=1)
    use: Floats = np.exp(entropy) / LEVELS_K
    return use
