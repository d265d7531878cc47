"""How far the machine may act alone: conformal risk control of its two errors.

Bounded are the share of manipulated items that are allowed, and the share of genuine items that
are enforced, each on average over calibration sets: E[share] <= alpha. Neither bounds the share of
errors among what is allowed or enforced, which depends on how common manipulations are.

Assumption: the calibration items of the class and the next item of that class are exchangeable,
and the map to probabilities was not fitted on them. No more is assumed of judge or calibrator.

Conformal risk control, Angelopoulos et al. 2022 (arXiv:2208.02814), theorem 1, with the loss
1[item is acted on], which is monotone in the bound and at most B = 1. Conditional on the class it
is sum_i w_i 1[acted on] + w_max B <= alpha (sum_i w_i + w_max); weights are all 1 unless items
were labelled with unequal probability, and then the next item's is taken as the largest.
"""

import math
from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Flags, Floats
from moderation.types import RouteBounds


@dataclass(frozen=True, slots=True, eq=False)
class RiskSample:
    """Calibration probabilities of each class, in rising order, and what each item counts for.

    manipulated_M, genuine_G: P(manipulated) in [0, 1].
    """

    manipulated_M: Floats
    manipulated_weight_M: Floats
    genuine_G: Floats
    genuine_weight_G: Floats

    def __post_init__(self) -> None:
        pairs = (
            (self.manipulated_M, self.manipulated_weight_M),
            (self.genuine_G, self.genuine_weight_G),
        )
        for probability, weight in pairs:
            if probability.shape != weight.shape or probability.ndim != 1:
                raise ValueError(f"{probability.shape} probabilities, {weight.shape} weights")
            if np.any(np.diff(probability) < 0) or np.any(weight <= 0):
                raise ValueError("probabilities are not in order, or a weight is not above 0")
            if probability.size and not 0 <= probability[0] <= probability[-1] <= 1:
                raise ValueError("a probability is not in [0, 1]")

    @property
    def is_empty(self) -> bool:
        """Whether no bound can come from it, so that the machine never acts alone."""
        return not self.manipulated_M.size and not self.genuine_G.size


def risk_sample(
    probability_N: Floats, is_manipulated_N: Flags, weight_N: Floats | None = None
) -> RiskSample:
    """The sample that bounds are computed from, for any alpha."""
    weight_N = np.ones(probability_N.size) if weight_N is None else weight_N

    def of(member_N: Flags) -> tuple[Floats, Floats]:
        order = np.argsort(probability_N[member_N], kind="stable")
        return probability_N[member_N][order], weight_N[member_N][order]

    return RiskSample(*of(is_manipulated_N), *of(~is_manipulated_N))


def allow_bound(sample: RiskSample, alpha: float) -> float | None:
    """Highest probability up to which allowing keeps the false-ALLOW rate at `alpha` or below.

    None where the manipulated calibration items are too few, or too many of them have the lowest
    probability there is.
    """
    first = first_beyond(sample.manipulated_weight_M, alpha)
    if first is None:
        return None
    beyond = float(sample.manipulated_M[first])
    # Just below the first item too many: ties with it are not allowed either.
    return math.nextafter(beyond, 0.0) if beyond > 0.0 else None


def enforce_bound(sample: RiskSample, alpha: float) -> float | None:
    """Lowest probability from which enforcing keeps the false-ENFORCE rate at `alpha` or below."""
    first = first_beyond(sample.genuine_weight_G[::-1], alpha)
    if first is None:
        return None
    beyond = float(sample.genuine_G[::-1][first])
    return math.nextafter(beyond, 1.0) if beyond < 1.0 else None


def first_beyond(weight_M: Floats, alpha: float) -> int | None:
    """How many calibration items, from the safe end, may be acted on; None: no bound holds."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha {alpha} is not in (0, 1)")
    if not weight_M.size:
        return None
    top = weight_M.max()
    budget = alpha * (weight_M.sum() + top) - top
    if budget < -1e-12:
        return None
    return int(np.searchsorted(np.cumsum(weight_M), budget + 1e-9, side="right"))


def route_bounds(
    sample: RiskSample, *, false_allow_max: float | None, false_enforce_max: float | None
) -> RouteBounds:
    """Both bounds; where they cross, they meet as near to .5 as either risk lets them.

    false_allow_max, false_enforce_max: the alphas, in (0, 1); None: that route is closed.
    """
    allow = None if false_allow_max is None else allow_bound(sample, false_allow_max)
    enforce = None if false_enforce_max is None else enforce_bound(sample, false_enforce_max)
    if allow is not None and enforce is not None and allow >= enforce:
        # Lowering the one and raising the other only makes fewer errors.
        allow = min(max(0.5, enforce), allow)
        enforce = math.nextafter(allow, 1.0)
    return RouteBounds(allow, enforce)
