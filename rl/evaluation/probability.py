"""P(manipulated) from a score, fitted on labelled items that the evaluation does not touch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from moderation.calibration.draws import Flags, Floats

ITEMS_OF_A_CLASS_MIN = 10
# Below this, isotonic regression follows noise (scikit-learn's user guide, section 1.16).
ISOTONIC_ITEMS_MIN = 1000


class Calibrator(Protocol):
    """A fitted map from scores to probabilities."""

    @property
    def name(self) -> str:
        """What kind it is."""
        ...

    def probability(self, score_N: Floats) -> Floats:
        """P(manipulated) in (0, 1), never rising with the score."""
        ...


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve of the score: slope <= 0, levels of log-odds a level of score."""

    slope: float
    intercept: float
    name: str = "Platt"

    def probability(self, score_N: Floats) -> Floats:
        p: Floats = expit(self.slope * score_N + self.intercept)
        return p


@dataclass(frozen=True, slots=True, eq=False)
class Isotonic:
    """A falling step function, given by its M corners, linear in between."""

    score_M: Floats
    probability_M: Floats
    name: str = "isotonic"

    def probability(self, score_N: Floats) -> Floats:
        p: Floats = np.interp(score_N, self.score_M, self.probability_M)
        return p


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrator and what it was fitted on. prior: share of manipulated items there."""

    calibrator: Calibrator
    split: str
    items: int
    prior: float


def fit_platt(score_N: Floats, is_manipulated_N: Flags) -> Platt:
    """Maximum likelihood with Platt's smoothed targets (Platt 1999, section 2.2)."""
    positives = int(is_manipulated_N.sum())
    negatives = is_manipulated_N.size - positives
    target_N = np.where(is_manipulated_N, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre = float(score_N.mean())

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, intercept = parameters
        odds_N = slope * (score_N - centre) + intercept
        gap_N = expit(odds_N) - target_N
        value = np.mean(np.logaddexp(0, odds_N) - target_N * odds_N)
        return float(value), np.array([np.mean(gap_N * (score_N - centre)), np.mean(gap_N)])

    start = np.array([0.0, logit(np.mean(target_N))])
    # A judge that orders its items the wrong way round is flat, not upside down.
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, 0), (None, None)])
    slope, intercept = found.x
    return Platt(float(slope), float(intercept - slope * centre))


def fit_isotonic(score_N: Floats, is_manipulated_N: Flags) -> Isotonic:
    """Isotonic regression, kept off 0 and 1 by the rule of succession 1 / (n + 2)."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(increasing=False).fit(score_N, is_manipulated_N.astype(np.float64))
    edge = 1 / (score_N.size + 2)
    return Isotonic(
        np.asarray(model.X_thresholds_, dtype=np.float64),
        np.clip(np.asarray(model.y_thresholds_, dtype=np.float64), edge, 1 - edge),
    )


def fit(score_N: Floats, is_manipulated_N: Flags, split: str) -> Fitted | None:
    """Isotonic with enough items, Platt with fewer, None with fewer than 10 of a class."""
    positives = int(is_manipulated_N.sum())
    if min(positives, is_manipulated_N.size - positives) < ITEMS_OF_A_CLASS_MIN:
        return None
    fitting = fit_isotonic if score_N.size >= ISOTONIC_ITEMS_MIN else fit_platt
    calibrator = fitting(score_N, is_manipulated_N)
    return Fitted(calibrator, split, int(score_N.size), positives / is_manipulated_N.size)
