"""Probabilities as log-likelihood ratios, and what they cost. One value a draw, (D,).

probability_N is P(manipulated) in [0, 1]; the target class is genuine.
"""

import numpy as np
from scipy.special import logit

from moderation.calibration.draws import Draws, Flags, Floats, divide
from rl.evaluation.roc import COST_FALSE_ACCEPTANCE, COST_MISS, PRIOR_SPOOFED

_EPSILON = float(np.finfo(np.float64).eps)


def log_likelihood_ratio(probability_N: Floats, prior: float) -> Floats:
    """ln P(evidence | genuine) / P(evidence | manipulated), taking the prior out of P(manipulated).

    prior: share of manipulated items that the probability was fitted on, in (0, 1).
    """
    inside = np.clip(probability_N, _EPSILON, 1 - _EPSILON)
    ratio: Floats = logit(prior) - logit(inside)
    return ratio


def cllr(ratio_N: Floats, is_manipulated_N: Flags, draws: Draws) -> Floats:
    """Cost of log-likelihood ratios in bits: 0 is perfect, 1 says nothing.

    Brümmer and du Preez 2006, eq. 26; the target class is genuine.
    """
    genuine = ~is_manipulated_N
    cost_N = np.logaddexp(0, np.where(genuine, -ratio_N, ratio_N)) / np.log(2)
    columns = np.stack([genuine * cost_N, genuine, is_manipulated_N * cost_N, is_manipulated_N], 1)
    total = draws.total(columns.astype(np.float64))
    return (divide(total[:, 0], total[:, 1]) + divide(total[:, 2], total[:, 3])) / 2


def act_dcf(
    ratio_N: Floats,
    is_manipulated_N: Flags,
    draws: Draws,
    *,
    prior_spoofed: float = PRIOR_SPOOFED,
    cost_miss: float = COST_MISS,
    cost_false_acceptance: float = COST_FALSE_ACCEPTANCE,
) -> Floats:
    """Normalised detection cost at the threshold that the costs prescribe for a true ratio.

    ASVspoof 5 evaluation plan, eq. 3: beside `min_dcf` it shows what calibration costs.
    """
    of_miss, of_acceptance = cost_miss * (1 - prior_spoofed), cost_false_acceptance * prior_spoofed
    is_flagged_N = ratio_N < -np.log(of_miss / of_acceptance)
    genuine = ~is_manipulated_N
    columns = [genuine & is_flagged_N, genuine, is_manipulated_N & ~is_flagged_N, is_manipulated_N]
    total = draws.total(np.stack(columns, axis=1).astype(np.float64))
    miss, accepted = divide(total[:, 0], total[:, 1]), divide(total[:, 2], total[:, 3])
    return (of_miss * miss + of_acceptance * accepted) / min(of_miss, of_acceptance)
