"""Has the world moved since a calibrator was fitted? Tests with exact or resampled nulls.

N items of the reference, M recent ones. Each p-value p is valid: P(p <= level) <= level when
nothing has changed, so that a level is a rate of false alarms.
"""

import math
from dataclasses import dataclass

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Draws, Flags, Floats
from moderation.calibration.log_odds import EPSILON

PSI_BINS = 10


@dataclass(frozen=True, slots=True)
class Tested:
    """A statistic and how often chance alone gives one as large."""

    value: float
    p_value: float


def population_stability_index(reference_N: Floats, recent_M: Floats, edge_E: Floats) -> float:
    """sum (q - p) ln(q / p) over bins, each share smoothed by half an item a bin.

    A symmetrised Kullback-Leibler divergence; by custom .1 is a shift and .25 a large one.
    edge_E: inner edges of the bins, rising.
    """
    bins = edge_E.size + 1

    def share(value: Floats) -> Floats:
        count = np.bincount(np.searchsorted(edge_E, value, side="right"), minlength=bins)
        return np.asarray((count + 0.5) / (value.size + 0.5 * bins), dtype=np.float64)

    p, q = share(reference_N), share(recent_M)
    return float(np.sum((q - p) * np.log(q / p)))


def decile_edges(reference_N: Floats, bins: int = PSI_BINS) -> Floats:
    """Inner edges of bins that hold equally many; ties make fewer bins."""
    edge_E: Floats = np.unique(np.quantile(reference_N, np.arange(1, bins) / bins))
    return edge_E


def kolmogorov_smirnov(reference_N: Floats, recent_M: Floats) -> float:
    """Largest gap between the two distribution functions."""
    return float(np.abs(_gap(reference_N, recent_M)[1]).max())


def wasserstein(reference_N: Floats, recent_M: Floats) -> float:
    """Area between the two distribution functions, in levels of score."""
    value, gap = _gap(reference_N, recent_M)
    return float(np.abs(gap[:-1]) @ np.diff(value))


def _gap(reference_N: Floats, recent_M: Floats) -> tuple[Floats, Floats]:
    value = np.unique(np.concatenate([reference_N, recent_M]))

    def at_most(sample: Floats) -> Floats:
        return np.searchsorted(np.sort(sample), value, side="right") / sample.size

    return value, at_most(reference_N) - at_most(recent_M)


def wasserstein_test(
    reference_N: Floats, recent_M: Floats, generator: np.random.Generator, permutations: int
) -> Tested:
    """1-Wasserstein distance against its permutation null.

    Exact at any level: (1 + as far or farther) / (1 + permutations), Phipson and Smyth 2010.
    """
    pooled = np.concatenate([reference_N, recent_M])
    order = np.argsort(pooled, kind="stable")
    step = np.diff(pooled[order])
    is_reference = (order < reference_N.size).astype(np.float64)
    n, m = reference_N.size, recent_M.size

    def distance(member: Floats) -> float:
        ahead = np.cumsum(np.where(member > 0, 1 / n, -1 / m))
        return float(np.abs(ahead[:-1]) @ step)

    value = distance(is_reference)
    as_far = sum(
        distance(generator.permutation(is_reference)) >= value * (1 - 1e-12)
        for _ in range(permutations)
    )
    return Tested(value, (1 + as_far) / (1 + permutations))


def mean_test(probability_N: Floats, is_manipulated_N: Flags, weight_N: Floats) -> Tested:
    """Weighted mean label less weighted mean probability, two-sided z-test.

    Calibration in the large: given the probabilities, labels of a calibrated model are
    independent Bernoulli draws, so the variance sum w^2 p (1 - p) is known.
    """
    share_N = weight_N / weight_N.sum()
    gap = float(share_N @ (is_manipulated_N - probability_N))
    return Tested(gap, _two_sided(gap, float(share_N**2 @ _variance(probability_N))))


def spread_test(probability_N: Floats, is_manipulated_N: Flags, weight_N: Floats) -> Tested:
    """Spiegelhalter's z (1986), weighted: are probabilities as far from 1/2 as they may be?

    value: mean of (p - x) (1 - 2 p), above 0 where labels contradict sure probabilities.
    """
    share_N = weight_N / weight_N.sum()
    lever_N = 1 - 2 * probability_N
    gap = float(share_N @ ((is_manipulated_N - probability_N) * lever_N))
    return Tested(gap, _two_sided(gap, float((share_N * lever_N) ** 2 @ _variance(probability_N))))


def _variance(probability_N: Floats) -> Floats:
    inside = np.clip(probability_N, EPSILON, 1 - EPSILON)
    variance_N: Floats = inside * (1 - inside)
    return variance_N


def _two_sided(gap: float, variance: float) -> float:
    return math.erfc(abs(gap) / math.sqrt(2 * variance)) if variance > 0 else 1.0


def expected_error_test(
    probability_N: Floats,
    is_manipulated_N: Flags,
    weight_N: Floats,
    generator: np.random.Generator,
    resamples: int,
) -> Tested:
    """ECE in bins of equal mass against labels drawn from the probabilities themselves.

    Consistency resampling (Bröcker and Smith 2007; Vaicenavicius et al. 2019, arXiv:1902.06977):
    a finite sample has an ECE above 0 even of a calibrated model.
    """
    once = Draws.once(probability_N.size, weight_N)
    bins = min(metrics.BINS, max(1, probability_N.size // 10))

    def error(label_N: Flags) -> float:
        found = metrics.equal_mass_bins(probability_N, label_N, once, bins)
        return float(found.expected_error_D[0])

    value = error(is_manipulated_N)
    as_large = sum(
        error(generator.random(probability_N.size) < probability_N) >= value * (1 - 1e-12)
        for _ in range(resamples)
    )
    return Tested(value, (1 + as_large) / (1 + resamples))
