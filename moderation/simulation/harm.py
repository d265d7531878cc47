"""The harm that items really did in a run, in views of severity 1.

An action stops every further view. An item that nobody decided stays as it waited, for good.
"""

from dataclasses import dataclass

import numpy as np

from moderation.policy.harm import Flags, Floats, cost_of_wrong_action
from moderation.policy.schema import WhileWaiting
from moderation.simulation.queue import QueueSimulation, Run
from moderation.triage.outcome import TriageOutcome
from moderation.types import Disposition


@dataclass(frozen=True, slots=True, eq=False)
class Harm:
    """by_manipulated_N: of manipulated items that were seen; to_genuine_N: of genuine ones that
    were acted on or held."""

    by_manipulated_N: Floats
    to_genuine_N: Floats

    @property
    def total_N(self) -> Floats:
        """Of each item; one of the two is 0."""
        return self.by_manipulated_N + self.to_genuine_N


def routes(outcomes: tuple[TriageOutcome, ...]) -> tuple[Flags, Flags, Flags]:
    """Three arrays (N,): whether the route is REVIEW, is ENFORCE, and whether the item is held."""
    is_review_N = np.array([one.disposition is Disposition.REVIEW for one in outcomes], bool)
    is_enforced_N = np.array([one.disposition is Disposition.ENFORCE for one in outcomes], bool)
    is_held_N = np.array([one.while_waiting is WhileWaiting.HELD for one in outcomes], bool)
    return is_review_N, is_enforced_N, is_held_N


def harm_done(simulation: QueueSimulation, run: Run) -> Harm:
    """Of every item over its whole life."""
    items = simulation.arrivals
    is_review_N, is_enforced_N, is_held_N = routes(run.outcomes_N)
    is_decided_N = ~np.isnan(run.decided_hour_N)
    is_mistaken_N = items.mistake_N < simulation.reviewer_error
    acts_N = np.where(
        is_decided_N, is_mistaken_N != items.is_manipulated_N, is_enforced_N | is_held_N
    )
    # The share of all views that came in before the decision.
    age_N = np.where(is_decided_N, run.decided_hour_N - items.hour_N, np.inf)
    x_N = np.where(is_review_N, np.minimum(age_N / items.scale_hours_N, 700.0), 0.0)
    before_N = simulation.views.seen(x_N)
    shown_N = np.where(is_held_N, 0.0, before_N) + np.where(acts_N, 0.0, 1.0 - before_N)

    is_manipulated_N = items.is_manipulated_N
    by_manipulated_N = np.where(
        is_manipulated_N,
        simulation.severity_N * items.views_N * shown_N
        + np.where(acts_N, 0.0, simulation.missed_N),
        0.0,
    )
    to_genuine_N = np.where(
        is_manipulated_N,
        0.0,
        cost_of_wrong_action(
            items.views_N * (1.0 - shown_N),
            wrong=np.where(acts_N, simulation.wrong_N, 0.0),
            wrong_per_view=simulation.wrong_view_N,
            reach_exponent=np.where(shown_N < 1.0, simulation.exponent_N, 1.0),
        ),
    )
    return Harm(by_manipulated_N, to_genuine_N)
