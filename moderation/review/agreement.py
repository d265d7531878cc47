"""Agreement between reviewers beyond chance; pure.

U units (cases), R reviewers. A rating is a category 0, 1, …; -1 where a reviewer rated nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ratings = npt.NDArray[np.int64]
MISSING = -1


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement with its percentile interval over draws of cases.

    value: 1 is perfect, 0 is chance, NaN where it is not defined. units: cases with two ratings
    or more.
    """

    value: float
    lower: float
    upper: float
    units: int


def cohen_kappa(first_U: Ratings, second_U: Ratings) -> float:
    """Cohen's κ = (p_o - p_e) / (1 - p_e) of two reviewers, over the units that both rated.

    NaN without such units, and where both always say the same one thing: then chance explains
    all of it. Source: Cohen, A coefficient of agreement for nominal scales (1960).
    """
    both = (first_U != MISSING) & (second_U != MISSING)
    first_U, second_U = first_U[both], second_U[both]
    if not first_U.size:
        return float("nan")
    categories = 1 + max(first_U.max(), second_U.max())
    observed = float(np.mean(first_U == second_U))
    share_1 = np.bincount(first_U, minlength=categories) / first_U.size
    share_2 = np.bincount(second_U, minlength=categories) / second_U.size
    expected = float(share_1 @ share_2)
    return float("nan") if expected == 1.0 else (observed - expected) / (1.0 - expected)


def krippendorff_alpha(rating_UR: Ratings) -> float:
    """Krippendorff's α = 1 - D_o / D_e for nominal data, with any number of ratings missing.

    Units with one rating do not count. NaN where all ratings are one category, or no unit has
    two. Source: Krippendorff, Computing Krippendorff's alpha-reliability (2011), C.
    """
    coincidences = coincidence_matrix(rating_UR)
    total = coincidences.sum()
    margin = coincidences.sum(axis=0)
    expected = (total * total - margin @ margin) / (total - 1.0) if total > 1 else 0.0
    if expected == 0.0:
        return float("nan")
    return float(1.0 - (total - np.trace(coincidences)) / expected)


def coincidence_matrix(rating_UR: Ratings) -> npt.NDArray[np.float64]:
    """Pairs of ratings within units by category: each pair of a unit with m ratings 1 / (m - 1).

    Source: Krippendorff (2011), step 2.
    """
    categories = int(rating_UR.max(initial=MISSING)) + 1
    count_UC = (
        np.stack([(rating_UR == category).sum(axis=1) for category in range(categories)], axis=-1)
        if categories
        else np.zeros((len(rating_UR), 0), dtype=np.int64)
    )
    ratings_U = count_UC.sum(axis=1)
    count_UC, ratings_U = count_UC[ratings_U >= 2], ratings_U[ratings_U >= 2]
    weighted_UC = count_UC / (ratings_U - 1)[:, None]
    pairs = count_UC.T @ weighted_UC
    return np.asarray(pairs - np.diag(weighted_UC.sum(axis=0)), dtype=np.float64)


def with_interval(
    statistic: Callable[[Ratings], float],
    rating_UR: Ratings,
    *,
    seed: int,
    draws: int = 1000,
    confidence: float = 0.95,
) -> Agreement:
    """`statistic` of the ratings, with a percentile bootstrap over units.

    Units are drawn whole, since the ratings of one case hang together. Draws in which it is not
    defined are left out. Source: Efron and Tibshirani, An introduction to the bootstrap (1993).
    """
    paired_UR = rating_UR[(rating_UR != MISSING).sum(axis=1) >= 2]
    units = len(paired_UR)
    value = statistic(paired_UR)
    generator = np.random.default_rng(seed)
    drawn = np.array(
        [statistic(paired_UR[generator.integers(units, size=units)]) for _ in range(draws)]
        if units
        else []
    )
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Agreement(value, float("nan"), float("nan"), units)
    tail = (1.0 - confidence) / 2.0
    lower, upper = np.quantile(drawn, [tail, 1.0 - tail])
    return Agreement(value, float(lower), float(upper), units)
