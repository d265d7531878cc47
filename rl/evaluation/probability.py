"""P(manipulated) from a score, fitted on labelled items that the evaluation does not touch."""

from dataclasses import dataclass

from moderation.calibration.draws import Flags, Floats
from moderation.calibration.isotonic import Isotonic
from moderation.calibration.platt import Platt

ITEMS_OF_A_CLASS_MIN = 10
# Below this, isotonic regression follows noise (scikit-learn's user guide, section 1.16).
ISOTONIC_ITEMS_MIN = 1000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrator and what it was fitted on. prior: share of manipulated items there."""

    calibrator: Platt | Isotonic
    split: str
    items: int
    prior: float


def fit(score_N: Floats, is_manipulated_N: Flags, split: str) -> Fitted | None:
    """Isotonic with enough items, Platt with fewer, None with fewer than 10 of a class."""
    positives = int(is_manipulated_N.sum())
    if min(positives, is_manipulated_N.size - positives) < ITEMS_OF_A_CLASS_MIN:
        return None
    method: type[Platt | Isotonic] = Isotonic if score_N.size >= ISOTONIC_ITEMS_MIN else Platt
    calibrator = method.fit_scores(score_N, is_manipulated_N)
    return Fitted(calibrator, split, int(score_N.size), positives / is_manipulated_N.size)
