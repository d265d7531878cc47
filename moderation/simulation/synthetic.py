"""Arrivals that are made up: a Poisson process with a daily cycle, and scores that are calibrated.

The judge's evidence is normal with unit variance around ±d/2 (d for manipulated items), so its AUC
is Phi(d / sqrt(2)), and P(manipulated) = sigmoid(logit(prevalence) + d · evidence) is exact.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from encoders.types import Modality
from moderation.policy.harm import Floats
from moderation.policy.schema import Policy
from moderation.simulation.arrivals import Arrivals

_MODALITIES = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)


@dataclass(frozen=True, slots=True)
class World:
    """What arrives. Shares are of all items, logarithms natural.

    auc: of the score. reported_share: items that a report names for a clause that needs one;
    reported_prevalence: of manipulated ones among them. unscored_share: without a score.
    daily_swing: the rate is 1 + swing · sin, highest at 18:00. views_median, views_log_sd: of the
    total views, log-normal. scale_hours_median, scale_log_sd: of the time they take.
    forecast_log_sd: error of the forecast of views. length_cv: of the duration of a review.
    """

    days: float = 4.0
    prevalence: float = 0.1
    auc: float = 0.85
    reported_share: float = 0.005
    reported_prevalence: float = 0.5
    unscored_share: float = 0.02
    modality_shares: tuple[float, float, float] = (0.5, 0.15, 0.35)
    daily_swing: float = 0.6
    views_median: float = 200.0
    views_log_sd: float = 2.0
    scale_hours_median: float = 6.0
    scale_log_sd: float = 0.7
    forecast_log_sd: float = 0.8
    length_cv: float = 0.6

    def __post_init__(self) -> None:
        if not 0.5 <= self.auc < 1.0:
            raise ValueError(f"AUC {self.auc} is not in [0.5, 1)")
        if not 0.0 < self.prevalence < 1.0 or self.days <= 0.0:
            raise ValueError(f"prevalence {self.prevalence}, {self.days} days")

    @property
    def separation(self) -> float:
        """d: distance between the means of the evidence of both kinds of item."""
        return math.sqrt(2.0) * NormalDist().inv_cdf(self.auc)


def arrival_hours(rate_per_hour: float, world: World, rng: np.random.Generator) -> Floats:
    """Times of a Poisson process with the world's daily cycle, by thinning; sorted."""
    most = rate_per_hour * (1.0 + world.daily_swing)
    hours = 24.0 * world.days
    time_N = np.sort(rng.uniform(0.0, hours, rng.poisson(most * hours)))
    share_N = 1.0 + world.daily_swing * np.sin(2.0 * np.pi * (time_N - 12.0) / 24.0)
    kept: Floats = time_N[rng.random(time_N.size) * (1.0 + world.daily_swing) < share_N]
    return kept


def arrivals(
    world: World, policy: Policy, *, rate_per_hour: float, rng: np.random.Generator
) -> Arrivals:
    """Items of `world` on the surfaces of `policy`, the k-th of them with weight 1 / k²."""
    hour_N = arrival_hours(rate_per_hour, world, rng)
    n = hour_N.size
    for_reports = [clause.id for clause in policy.clauses if clause.on_report_only]
    is_reported_N = (rng.random(n) < world.reported_share) & bool(for_reports)
    prevalence_N = np.where(is_reported_N, world.reported_prevalence, world.prevalence)
    is_manipulated_N = rng.random(n) < prevalence_N
    d = world.separation
    evidence_N = rng.normal(np.where(is_manipulated_N, d / 2.0, -d / 2.0), 1.0)
    odds = math.log(world.prevalence / (1.0 - world.prevalence))
    probability_N = 1.0 / (1.0 + np.exp(-(odds + d * evidence_N)))
    is_unscored_N = rng.random(n) < world.unscored_share
    shape = world.length_cv**-2
    weight_S = 1.0 / np.arange(1, len(policy.surfaces) + 1) ** 2
    weight_S /= weight_S.sum()
    return Arrivals(
        hour_N=hour_N,
        is_manipulated_N=is_manipulated_N,
        probability_N=np.where(is_unscored_N, np.nan, probability_N),
        # The raw score puts items in the order of the probability, on the judge's scale.
        score_N=np.where(is_unscored_N, np.nan, 9.0 / (1.0 + np.exp(d * evidence_N))),
        modality_N=tuple(_MODALITIES[k] for k in rng.choice(3, n, p=world.modality_shares)),
        surface_N=tuple(policy.surfaces[k] for k in rng.choice(weight_S.size, n, p=weight_S)),
        reported_N=tuple(
            for_reports[k % len(for_reports)] if reported else None
            for k, reported in enumerate(is_reported_N.tolist())
        ),
        views_N=world.views_median * np.exp(world.views_log_sd * rng.normal(size=n)),
        scale_hours_N=world.scale_hours_median * np.exp(world.scale_log_sd * rng.normal(size=n)),
        log_error_N=world.forecast_log_sd * rng.normal(size=n),
        length_N=rng.gamma(shape, 1.0 / shape, n),
        mistake_N=rng.random(n),
        draw_N2=rng.random((n, 2)),
        disagreement_N=np.full(n, np.nan),
    )
