"""What the bounds of a calibrator do to a split: errors made, and work taken off people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.draws import Flags, Floats
from moderation.calibration.estimate import Estimate
from moderation.calibration.exchangeability import Kept, excess_p, judge_promise
from moderation.calibration.items import LabelledItems
from moderation.calibration.risk_control import first_beyond
from moderation.types import RouteBounds

ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Risk:
    """What the bounds of one alpha do to a split.

    false_allow: share of manipulated items that are allowed. false_enforce: share of genuine
    items that are enforced. Their p-values: of so many, if the items of that class were
    exchangeable with those that bounded the risk. allowed, enforced: shares of all items.
    """

    alpha: float
    bounds: RouteBounds
    false_allow: Estimate
    false_enforce: Estimate
    false_allow_p: float
    false_enforce_p: float
    allowed: float
    enforced: float

    @property
    def allow_kept(self) -> Kept:
        return judge_promise(self.false_allow.value - self.alpha, self.false_allow_p)

    @property
    def enforce_kept(self) -> Kept:
        return judge_promise(self.false_enforce.value - self.alpha, self.false_enforce_p)


def risks(
    calibrator: FittedCalibrator,
    items: LabelledItems,
    *,
    draws: int,
    seed: int,
    alphas: Sequence[float] = ALPHAS,
) -> list[Risk]:
    """Bounds at each alpha, the same for both routes, and the errors they make on `items`."""
    probability_N = calibrator.method.probability(items.digit_NK)
    manipulated, genuine = (
        items.take(items.is_manipulated_N),
        items.take(~items.is_manipulated_N),
    )
    found = []
    for alpha in alphas:
        bounds = calibrator.route_bounds(false_allow_max=alpha, false_enforce_max=alpha)
        allowed_N = is_allowed(probability_N, bounds).astype(np.float64)
        enforced_N = is_enforced(probability_N, bounds).astype(np.float64)
        truth, sample = items.is_manipulated_N, calibrator.risk_sample
        found.append(
            Risk(
                alpha,
                bounds,
                manipulated.mean(allowed_N[truth], draws=draws, seed=seed),
                genuine.mean(enforced_N[~truth], draws=draws, seed=seed),
                _excess(allowed_N[truth], sample.manipulated_weight_M, alpha),
                _excess(enforced_N[~truth], sample.genuine_weight_G[::-1], alpha),
                float(items.once().mean(allowed_N)[0]),
                float(items.once().mean(enforced_N)[0]),
            )
        )
    return found


def _excess(error_N: Floats, weight_M: Floats, alpha: float) -> float:
    """P-value of the errors; exact where calibration items count alike."""
    first = first_beyond(weight_M, alpha)
    rank = 0 if first is None else first + 1
    return excess_p(int(error_N.sum()), error_N.size, rank, weight_M.size)


def is_allowed(probability_N: Floats, bounds: RouteBounds) -> Flags:
    """Which items the machine allows."""
    limit = -np.inf if bounds.allow_below is None else bounds.allow_below
    allowed_N: Flags = probability_N <= limit
    return allowed_N


def is_enforced(probability_N: Floats, bounds: RouteBounds) -> Flags:
    """Which items the machine enforces against."""
    limit = np.inf if bounds.enforce_above is None else bounds.enforce_above
    enforced_N: Flags = probability_N >= limit
    return enforced_N
