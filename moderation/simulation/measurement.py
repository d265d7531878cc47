"""What a run is judged by."""

from dataclasses import dataclass, replace

import numpy as np

from moderation.policy.harm import Floats
from moderation.simulation.harm import harm_done, routes
from moderation.simulation.queue import QueueSimulation, Run

PERCENTILES = (50, 90, 99)
TOP_SHARE = 0.1
"""The tenth of the reviews' items that would do most harm if nobody ever looked."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One run. Shares of nothing are NaN.

    harm: done by all items, of which by_manipulated and to_genuine. prevented: against nobody
    reviewing anything. sla_breach_share, legal_breach_share: among reviews that were due.
    reviewed_share, deferred_share: of reviews; sampled_reviewed_share: of drawn items.
    utilisation: share of the reviewers' time at work. waiting_hours: percentiles of what was
    decided; top_*: among the tenth that does most harm. wait_R, top_wait_R: hours until the
    decision of each review, infinite where there was none.
    """

    harm: float
    by_manipulated: float
    to_genuine: float
    prevented: float
    reviews: int
    reviewed_share: float
    sla_breach_share: float
    legal_breach_share: float
    deferred_share: float
    sampled_reviewed_share: float
    utilisation: float
    waiting_hours: dict[int, float]
    top_waiting_hours: dict[int, float]
    top_reviewed_share: float
    wait_R: Floats
    top_wait_R: Floats


def measure(simulation: QueueSimulation, run: Run) -> Measurement:
    """The measures of one run."""
    items = simulation.arrivals
    nothing = np.full(len(items), np.nan)
    harm = harm_done(simulation, run)
    unreviewed_N = harm_done(simulation, replace(run, decided_hour_N=nothing)).total_N
    is_review_N = routes(run.outcomes_N)[0]
    is_decided_N = ~np.isnan(run.decided_hour_N)
    wait_N = np.where(is_decided_N, run.decided_hour_N - items.hour_N, np.inf)
    deadline_N = np.array([one.deadline_hours or np.nan for one in run.outcomes_N])
    is_drawn_N = np.array([one.sample is not None for one in run.outcomes_N], bool)
    is_deferred_N = np.array([one.is_deferred for one in run.outcomes_N], bool)
    review_K = np.flatnonzero(is_review_N)
    top_K = review_K[np.argsort(-unreviewed_N[review_K], kind="stable")]
    top_K = top_K[: max(1, round(TOP_SHARE * review_K.size))]
    until_end_N = simulation.hours - items.hour_N
    capacity = simulation.staff.minutes_per_hour * simulation.hours
    return Measurement(
        harm=float(harm.total_N.sum()),
        by_manipulated=float(harm.by_manipulated_N.sum()),
        to_genuine=float(harm.to_genuine_N.sum()),
        prevented=float((unreviewed_N - harm.total_N).sum()),
        reviews=int(review_K.size),
        reviewed_share=_share(is_decided_N[is_review_N]),
        sla_breach_share=_late(wait_N, simulation.sla_N, until_end_N, is_review_N),
        legal_breach_share=_late(
            wait_N, deadline_N, until_end_N, is_review_N & ~np.isnan(deadline_N)
        ),
        deferred_share=_share(is_deferred_N[is_review_N]),
        sampled_reviewed_share=_share(is_decided_N[is_drawn_N]),
        utilisation=run.busy_minutes / capacity,
        waiting_hours=_percentiles(wait_N[review_K]),
        top_waiting_hours=_percentiles(wait_N[top_K]),
        top_reviewed_share=_share(is_decided_N[top_K]),
        wait_R=wait_N[review_K],
        top_wait_R=wait_N[top_K],
    )


def _share(flags: Floats | np.ndarray) -> float:
    return float(np.mean(flags)) if flags.size else float("nan")


def _late(wait_N: Floats, allowed_N: Floats, until_end_N: Floats, among_N: np.ndarray) -> float:
    """Share of late decisions among those that came, or were due before the end."""
    is_due_N = among_N & (np.isfinite(wait_N) | (until_end_N > allowed_N))
    return _share((wait_N > allowed_N)[is_due_N])


def _percentiles(wait_R: Floats) -> dict[int, float]:
    decided = wait_R[np.isfinite(wait_R)]
    if not decided.size:
        return dict.fromkeys(PERCENTILES, float("nan"))
    return {p: float(np.percentile(decided, p)) for p in PERCENTILES}
