"""Every metric of scored items, by name, as a value a draw, an estimate or a paired difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Draws, Floats, bootstrap_draws, place_sources
from moderation.calibration.estimate import Difference, Estimate, difference, estimate
from rl.evaluation import graded, likelihood_ratio, roc
from rl.evaluation.items import ScoredItems
from rl.evaluation.selective import digit_spread, risk_coverage

Measures = Callable[[ScoredItems, Draws], dict[str, Floats]]

MISS_RATES = (0.05, 0.01)


@dataclass(frozen=True, slots=True)
class Metric:
    """How a figure is called, and which way is better: +1 higher, -1 lower, 0 neither."""

    label: str
    family: str
    better: int


METRICS: Mapping[str, Metric] = {
    "auc": Metric("AUC", "Discrimination", 1),
    "partial_auc_10": Metric("pAUC at 10 % FPR", "Discrimination", 1),
    "eer": Metric("EER", "Discrimination", -1),
    "average_precision": Metric("average precision", "Discrimination", 1),
    "tpr_at_fpr_1": Metric("TPR at 1 % FPR", "Discrimination", 1),
    "tpr_at_fpr_01": Metric("TPR at 0.1 % FPR", "Discrimination", 1),
    "min_dcf": Metric("minDCF", "Discrimination", -1),
    "brier": Metric("Brier", "Calibration", -1),
    "nll": Metric("NLL", "Calibration", -1),
    "ece": Metric("ECE, 15 bins", "Calibration", -1),
    "adaptive_ece": Metric("ECE, equal mass", "Calibration", -1),
    "cllr": Metric("Cllr", "Calibration", -1),
    "act_dcf": Metric("actDCF", "Calibration", -1),
    "pearson": Metric("Pearson", "Graded label", 1),
    "spearman": Metric("Spearman", "Graded label", 1),
    "kendall_tau_b": Metric("Kendall τ-b", "Graded label", 1),
    "mae": Metric("mean absolute error", "Graded label", -1),
    "crps": Metric("CRPS", "Graded label", -1),
    "wasserstein": Metric("1-Wasserstein", "Graded label", -1),
    "scale_use": Metric("share of the scale in use", "Graded label", 0),
    "aurc_error": Metric("AURC of |score − y|", "Selection", -1),
    "aurc_decision": Metric("AURC of the decision at P = .5", "Selection", -1),
    "review_load_miss_5": Metric("review load at 5 % missed", "Selection", -1),
    "review_load_miss_1": Metric("review load at 1 % missed", "Selection", -1),
}


def in_blocks(measures: Measures) -> Measures:
    """The same, block of draws by block of draws, so that temporaries stay small."""

    def run(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
        parts = [measures(items, block) for block in draws.blocks()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return run


@in_blocks
def discrimination(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """What the order of the scores says of genuine against manipulated."""
    curve = roc.roc(items.score_N, items.is_manipulated_N, draws)
    loads = {
        f"review_load_miss_{rate * 100:.0f}": roc.review_load(curve, rate) for rate in MISS_RATES
    }
    return {
        "auc": roc.auc(curve),
        "partial_auc_10": roc.partial_auc(curve),
        "eer": roc.equal_error_rate(curve),
        "average_precision": roc.average_precision(curve),
        "tpr_at_fpr_1": roc.true_positive_rate_at(curve, 0.01),
        "tpr_at_fpr_01": roc.true_positive_rate_at(curve, 0.001),
        "min_dcf": roc.min_dcf(curve),
        **loads,
    }


def probability(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """What calibrated probabilities are worth; nothing where there are none."""
    if items.probability_N is None:
        return {}
    pair = (items.probability_N, items.is_manipulated_N)
    ratio = likelihood_ratio.log_likelihood_ratio(items.probability_N, items.prior)
    return {
        "brier": metrics.brier(*pair, draws),
        "nll": metrics.negative_log_likelihood(*pair, draws),
        "ece": metrics.reliability_bins(*pair, draws).expected_error_D,
        "cllr": likelihood_ratio.cllr(ratio, items.is_manipulated_N, draws),
        "act_dcf": likelihood_ratio.act_dcf(ratio, items.is_manipulated_N, draws),
        **_ordered_probability(items, draws),
    }


@in_blocks
def _ordered_probability(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    p, truth = items.probability_N, items.is_manipulated_N
    assert p is not None  # noqa: S101 - `probability` has looked
    is_wrong = ((p >= 0.5) != truth).astype(np.float64)
    return {
        "adaptive_ece": metrics.equal_mass_bins(p, truth, draws).expected_error_D,
        "aurc_decision": risk_coverage(is_wrong, np.abs(p - 0.5), draws).area_D,
    }


def agreement(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """How scores follow the graded label, over the items that have one; nothing without any."""
    is_graded = np.isfinite(items.y_N)
    if not is_graded.any():
        return {}
    if not is_graded.all():
        items, draws = items.take(is_graded), draws.take(is_graded)
    figures = {
        "mae": graded.mean_absolute_error(items.score_N, items.y_N, draws),
        "scale_use": graded.scale_use(items.score_N, draws),
        "kendall_tau_b": graded.kendall_tau_b(items.score_N, items.y_N, draws),
        **_ordered_agreement(items, draws),
    }
    if items.digit_NK is not None:
        figures["crps"] = graded.crps(items.digit_NK, items.y_N, draws)
    return figures


@in_blocks
def _ordered_agreement(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    pair = (items.score_N, items.y_N)
    figures = {
        "pearson": graded.pearson(*pair, draws),
        "spearman": graded.spearman(*pair, draws),
        "wasserstein": graded.wasserstein(*pair, draws),
    }
    if items.digit_NK is not None:
        sureness = -digit_spread(items.digit_NK)
        loss = np.abs(items.score_N - items.y_N)
        figures["aurc_error"] = risk_coverage(loss, sureness, draws).area_D
    return figures


def all_measures(items: ScoredItems, draws: Draws) -> dict[str, Floats]:
    """Every metric that these items have, in the order of `METRICS`."""
    found = {
        **discrimination(items, draws),
        **probability(items, draws),
        **agreement(items, draws),
    }
    return {name: found[name] for name in METRICS if name in found}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Figures of one judge: `value` of the sample, `value_D` of each bootstrap draw."""

    value: Mapping[str, float]
    value_D: Mapping[str, Floats]
    sources: int

    def estimate(self, name: str) -> Estimate:
        """One figure with its interval; none over a single source."""
        return estimate(self.value[name], self.value_D[name], has_interval=self.sources > 1)

    @property
    def estimates(self) -> dict[str, Estimate]:
        return {name: self.estimate(name) for name in self.value}


def draws_of(items: ScoredItems, *, draws: int = 1000, seed: int = 0) -> Draws:
    """Bootstrap draws of the items' sources."""
    return bootstrap_draws(place_sources(items.source_N)[1], draws=draws, seed=seed)


def measure(items: ScoredItems, draws: Draws, measures: Measures = all_measures) -> Measured:
    """The figures of the sample and of every draw."""
    once = measures(items, Draws.once(len(items)))
    value = {name: float(value_D[0]) for name, value_D in once.items()}
    return Measured(value, measures(items, draws), items.sources)


def paired_differences(first: Measured, second: Measured) -> dict[str, Difference]:
    """`first - second` of every figure that both have; both were measured with the same draws."""
    return {
        name: difference(
            first.value[name], second.value[name], first.value_D[name], second.value_D[name]
        )
        for name in first.value
        if name in second.value
    }


def common_names(measured: Sequence[Measured]) -> list[str]:
    """Names of figures that all judges have, in the order of `METRICS`."""
    return [name for name in METRICS if all(name in one.value for one in measured)]
