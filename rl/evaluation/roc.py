"""Discrimination: how well a score tells genuine from manipulated items.

Manipulated is the positive class, and a lower score speaks for it: an item is flagged when its
score is at or below a threshold. Thresholds are the distinct scores, so that the order of tied
items never matters. Every metric gives one value a draw, (D,), NaN where a draw has one class.
"""

from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Counts, Draws, Flags, Floats, divide

# ASVspoof 5 evaluation plan, track 1: prior of spoofed speech, and costs of missing bona fide
# and of accepting spoofed speech.
PRIOR_SPOOFED = 0.05
COST_MISS = 1.0
COST_FALSE_ACCEPTANCE = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Cumulative counts at M rising thresholds, after the point (0, 0) where nothing is flagged.

    threshold_M: score at or below which an item is flagged; -inf first. true_positive_DM,
    false_positive_DM: manipulated and genuine items flagged.
    """

    threshold_M: Floats
    true_positive_DM: Floats
    false_positive_DM: Floats

    @property
    def positives_D(self) -> Floats:
        return self.true_positive_DM[:, -1]

    @property
    def negatives_D(self) -> Floats:
        return self.false_positive_DM[:, -1]

    @property
    def true_positive_rate_DM(self) -> Floats:
        return divide(self.true_positive_DM, self.positives_D[:, None])

    @property
    def false_positive_rate_DM(self) -> Floats:
        return divide(self.false_positive_DM, self.negatives_D[:, None])


def ends_of_ties(sorted_N: Floats) -> Counts:
    """Index of the last item of each run of equal values."""
    return np.append(np.flatnonzero(np.diff(sorted_N)), sorted_N.size - 1)


def cumulate(weight_DN: Floats, end_M: Counts) -> Floats:
    """Running sums at the ends of ties."""
    sums = np.cumsum(weight_DN, axis=1)
    return sums if end_M.size == weight_DN.shape[1] else sums[:, end_M]


def roc(score_N: Floats, is_manipulated_N: Flags, draws: Draws) -> Roc:
    """The curve of each draw."""
    order = np.argsort(score_N, kind="stable")
    ends = ends_of_ties(score_N[order])
    weight_DN = draws.weight(order)
    positive_DN = weight_DN * is_manipulated_N[order]
    weight_DN -= positive_DN
    start = np.zeros((draws.draws, 1))
    return Roc(
        np.append(-np.inf, score_N[order][ends]),
        np.concatenate([start, cumulate(positive_DN, ends)], axis=1),
        np.concatenate([start, cumulate(weight_DN, ends)], axis=1),
    )


def auc(curve: Roc) -> Floats:
    """Area under the ROC curve: P(genuine scores higher) + P(tie) / 2."""
    step = np.diff(curve.false_positive_DM, axis=1)
    tp = curve.true_positive_DM
    area = np.einsum("dm,dm->d", step, tp[:, 1:]) + np.einsum("dm,dm->d", step, tp[:, :-1])
    return divide(area / 2, curve.positives_D * curve.negatives_D)


def partial_auc(curve: Roc, false_positive_rate_max: float = 0.1) -> Floats:
    """Area up to a false positive rate, standardised so that chance is .5 and perfect is 1.

    McClish 1989, as scikit-learn's `roc_auc_score(max_fpr=...)`.
    """
    fpr, tpr = curve.false_positive_rate_DM, curve.true_positive_rate_DM
    reach = int(np.max(np.sum(fpr <= false_positive_rate_max, axis=1), initial=0)) + 1
    fpr, tpr = fpr[:, :reach], tpr[:, :reach]
    whole = np.diff(fpr, axis=1)
    step = np.clip(false_positive_rate_max - fpr[:, :-1], 0, whole)
    slope = np.divide(np.diff(tpr, axis=1), whole, out=np.zeros_like(whole), where=whole > 0)
    area = np.sum(step * (tpr[:, :-1] + slope * step / 2), axis=1)
    chance = false_positive_rate_max**2 / 2
    standardised = 0.5 * (1 + (area - chance) / (false_positive_rate_max - chance))
    return np.where(curve.positives_D * curve.negatives_D > 0, standardised, np.nan)


def equal_error_rate(curve: Roc) -> Floats:
    """Mean of both error rates at the threshold where they differ least, the first of equals.

    The definition of the ASVspoof 5 scoring package (`compute_eer`), with ties as one threshold.
    """
    false_positive = curve.false_positive_rate_DM
    positives = curve.positives_D[:, None]
    miss = divide(positives - curve.true_positive_DM, positives)
    gap = np.abs(false_positive - miss)
    best = np.argmin(gap, axis=1)[:, None]
    at_best = np.take_along_axis(false_positive, best, 1) + np.take_along_axis(miss, best, 1)
    return at_best[:, 0] / 2


def average_precision(curve: Roc) -> Floats:
    """Sum of precision times the step in recall, without interpolation, as in scikit-learn."""
    tp, fp = curve.true_positive_DM[:, 1:], curve.false_positive_DM[:, 1:]
    flagged = tp + fp
    precision = np.divide(tp, flagged, out=np.zeros_like(tp), where=flagged > 0)
    gain = np.einsum("dm,dm->d", precision, np.diff(curve.true_positive_DM, axis=1))
    both = np.where(curve.negatives_D > 0, curve.positives_D, 0.0)
    return divide(gain, both)


def true_positive_rate_at(curve: Roc, false_positive_rate: float) -> Floats:
    """Largest true positive rate among thresholds whose false positive rate is no higher."""
    allowed = false_positive_rate * curve.negatives_D + 1e-9
    last = [
        np.searchsorted(row, limit, side="right") - 1
        for row, limit in zip(curve.false_positive_DM, allowed, strict=True)
    ]
    at = np.take_along_axis(curve.true_positive_DM, np.asarray(last)[:, None], 1)[:, 0]
    return np.where(curve.negatives_D > 0, divide(at, curve.positives_D), np.nan)


def min_dcf(
    curve: Roc,
    *,
    prior_spoofed: float = PRIOR_SPOOFED,
    cost_miss: float = COST_MISS,
    cost_false_acceptance: float = COST_FALSE_ACCEPTANCE,
) -> Floats:
    """Lowest normalised detection cost over all thresholds (ASVspoof 5 evaluation plan, eq. 3).

    A miss is a genuine item flagged, a false acceptance a manipulated one that is not.
    """
    of_miss, of_acceptance = cost_miss * (1 - prior_spoofed), cost_false_acceptance * prior_spoofed
    accepted = 1 - curve.true_positive_rate_DM
    cost = of_miss * curve.false_positive_rate_DM + of_acceptance * accepted
    lowest: Floats = np.min(cost, axis=1) / min(of_miss, of_acceptance)
    return lowest


def review_load(curve: Roc, miss_rate: float) -> Floats:
    """Least share of all items to review so that no more than `miss_rate` of forgeries slip by.

    Review takes the items of lowest score; the load depends on the share of forgeries in the set.
    """
    wanted = (1 - miss_rate) * curve.positives_D - 1e-9
    first = [
        np.searchsorted(row, least)
        for row, least in zip(curve.true_positive_DM, wanted, strict=True)
    ]
    at = np.asarray(first)[:, None]
    flagged = np.take_along_axis(curve.true_positive_DM + curve.false_positive_DM, at, 1)[:, 0]
    load = divide(flagged, curve.positives_D + curve.negatives_D)
    return np.where(curve.positives_D > 0, load, np.nan)
