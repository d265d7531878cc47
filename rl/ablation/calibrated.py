"""P(manipulated) of a run's items, by the one kind of calibrator that all runs share."""

from dataclasses import replace

from moderation.calibration.platt import Platt
from moderation.errors import ConfigurationError
from rl.evaluation.items import ScoredItems
from rl.evaluation.probability import ITEMS_OF_A_CLASS_MIN


def platt(items: ScoredItems) -> Platt:
    """Platt's curve of the scores of the split that nothing is tested on.

    Raises:
        ConfigurationError: fewer than 10 items of a class.
    """
    manipulated = int(items.is_manipulated_N.sum())
    if min(manipulated, len(items) - manipulated) < ITEMS_OF_A_CLASS_MIN:
        raise ConfigurationError(
            f"{manipulated} manipulated of {len(items)} items to calibrate on",
            expected=f"at least {ITEMS_OF_A_CLASS_MIN} of either class",
            remedy="Raise items.calibration in the recipe, or use a larger corpus.",
        )
    return Platt.fit_scores(items.score_N, items.is_manipulated_N)


def with_probabilities(items: ScoredItems, curve: Platt) -> ScoredItems:
    """The items with their calibrated probabilities."""
    return replace(items, probability_N=curve.of_scores(items.score_N))
