"""The figures of the ablation table, one value a bootstrap draw, (D,)."""

from collections.abc import Mapping

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Draws, Floats, divide
from rl.ablation.predictions import SHARES
from rl.evaluation import graded, roc
from rl.evaluation.items import ScoredItems
from rl.evaluation.measurement import METRICS, Metric, in_blocks

_CLAIMS: Mapping[str, Metric] = {
    "claim_precision": Metric("claim precision", "Claims", 1),
    "claim_recall": Metric("claim recall", "Claims", 1),
    "time_precision": Metric("claim precision by time", "Claims", 1),
    "time_recall": Metric("claim recall by time", "Claims", 1),
    "time_overlap": Metric("claimed and true time, IoU", "Claims", 1),
    "is_complete": Metric("rationales finished", "Claims", 1),
}
_GRADED = ("pearson", "spearman", "mae", "crps", "ece", "auc", "wasserstein", "scale_use")
FIGURES: Mapping[str, Metric] = {**{name: METRICS[name] for name in _GRADED}, **_CLAIMS}


@in_blocks
def ablation_measures(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """Every figure of `FIGURES` that these items have.

    Without probabilities there is no calibration error, without rationales there are no claims.
    """
    if items.digit_NK is None:
        raise ValueError("items without digit distributions have no CRPS")
    pair = (items.score_N, items.y_N)
    found = {
        "pearson": graded.pearson(*pair, draws),
        "spearman": graded.spearman(*pair, draws),
        "mae": graded.mean_absolute_error(*pair, draws),
        "crps": graded.crps(items.digit_NK, items.y_N, draws),
        "auc": roc.auc(roc.roc(items.score_N, items.is_manipulated_N, draws)),
        "wasserstein": graded.wasserstein(*pair, draws),
        "scale_use": graded.scale_use(items.score_N, draws),
    }
    if items.probability_N is not None:
        bins = metrics.reliability_bins(items.probability_N, items.is_manipulated_N, draws)
        found["ece"] = bins.expected_error_D
    if "claimed" in items.columns:
        found |= _claim_measures(items.columns, draws)
    return {name: found[name] for name in FIGURES if name in found}


def _claim_measures(columns: Mapping[str, Floats], draws: Draws) -> dict[str, Floats]:
    names = ("claimed", "supported", "true", "found")
    total_D4 = draws.total(np.stack([columns[name] for name in names], axis=1))
    claimed_D, supported_D, true_D, found_D = total_D4.T
    figures = {
        "claim_precision": divide(supported_D, claimed_D),
        "claim_recall": divide(found_D, true_D),
        "is_complete": draws.mean(columns["is_complete"]),
    }
    for name in SHARES:
        is_defined = np.isfinite(columns[name])
        figures[name] = draws.take(is_defined).mean(columns[name][is_defined])
    return figures
