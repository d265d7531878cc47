"""One run: items arrive, are triaged, wait, and are reviewed by people in one order.

What waits is ranked anew every few minutes, by the views and ages of that moment, and what has
arrived since then at each claim. A review is not interrupted; a shift that ends finishes it.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from moderation.policy.harm import Flags, Floats, cost_of_wrong_action
from moderation.policy.schema import WhileWaiting
from moderation.priority.facts import TaskFacts
from moderation.priority.lanes import Lane, is_reserved_turn, lane_of
from moderation.priority.orders import SCORE_MAX, Order
from moderation.simulation.arrivals import Arrivals
from moderation.simulation.staff import Staff
from moderation.simulation.views import GrowingViews, ViewCurve
from moderation.triage.context import TriageContext, Unscored
from moderation.triage.outcome import TriageOutcome
from moderation.triage.sampling import Draws
from moderation.triage.shadow import Deployed

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Discipline:
    """An order, and whether lanes, the admission bar and reserved turns apply.

    Without lanes everything stands in one line, as in tools that know no lanes.
    """

    label: str
    order: Order
    has_lanes: bool = True


@dataclass(frozen=True, slots=True)
class _Score:
    probability: float
    calibrator_id: str = "simulation"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What became of N items. decided_hour_N: NaN where nobody decided; busy_minutes: of work."""

    outcomes_N: tuple[TriageOutcome, ...]
    decided_hour_N: Floats
    busy_minutes: float


@dataclass(slots=True, eq=False)
class _Queue:
    """What waits. Items are indices into the arrivals, in their order."""

    ordinary_N: Flags
    deferred_N: Flags
    held_N: Flags
    priority_N: Floats
    ranked_at: tuple[Lane, float] = (Lane.LEGAL, -math.inf)
    ranked: int = 0
    legal: list[tuple[float, int]] = field(default_factory=list)
    drawn: deque[int] = field(default_factory=deque)
    claims: int = 0
    backlog_minutes: float = 0.0


class QueueSimulation:
    """One set of arrivals, reviewed by one staff under one policy, in any order.

    reviewer_error: P(a reviewer rules wrongly), which the orders are told. rerank_minutes: how old
    the order may be at a claim; 0: it is made anew for each one.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        staff: Staff,
        deployed: Deployed,
        *,
        reviewer_error: float,
        hours: float,
        views: ViewCurve | None = None,
        rerank_minutes: float = 5.0,
    ) -> None:
        self.arrivals = arrivals
        self.staff = staff
        self.deployed = deployed
        self.reviewer_error = reviewer_error
        self.hours = hours
        self.rerank_minutes = rerank_minutes
        self.minutes_per_hour = staff.minutes_per_hour
        self.views = GrowingViews() if views is None else views
        policy = deployed.policy
        self.clauses_N = [
            policy.clause(surface, reported)
            for surface, reported in zip(arrivals.surface_N, arrivals.reported_N, strict=True)
        ]
        self.severity_N = np.array([clause.severity for clause in self.clauses_N])
        self.missed_N = np.array([clause.costs.missed for clause in self.clauses_N])
        self.wrong_N = np.array([clause.costs.wrong for clause in self.clauses_N])
        self.wrong_view_N = np.array([clause.costs.wrong_per_view for clause in self.clauses_N])
        self.exponent_N = np.array([clause.costs.reach_exponent for clause in self.clauses_N])
        self.sla_N = np.array([clause.sla_hours for clause in self.clauses_N])
        self.minutes_N = np.array(
            [
                clause.minutes.of(modality)
                for clause, modality in zip(self.clauses_N, arrivals.modality_N, strict=True)
            ]
        )
        stand_in = policy.unscored.probability
        is_unscored_N = np.isnan(arrivals.probability_N)
        self.probability_N = np.where(is_unscored_N, stand_in, arrivals.probability_N)
        self.score_N = np.where(
            np.isnan(arrivals.score_N), SCORE_MAX * (1.0 - self.probability_N), arrivals.score_N
        )

    def run(self, discipline: Discipline) -> Run:
        """Everything from the first arrival until the last hour."""
        n = len(self.arrivals)
        ordinary_N, deferred_N, held_N = np.zeros((3, n), bool)
        queue = _Queue(ordinary_N, deferred_N, held_N, np.zeros(n))
        outcomes: list[TriageOutcome] = []
        decided_hour_N = np.full(n, np.nan)
        busy_minutes = 0.0
        free = [(self.staff.next_at(k, 0.0), k) for k in range(self.staff.reviewers)]
        heapq.heapify(free)
        hours = self.arrivals.hour_N
        while free:
            now, reviewer = heapq.heappop(free)
            if now >= self.hours:
                continue
            while len(outcomes) < n and hours[len(outcomes)] <= now:
                self._arrive(len(outcomes), outcomes, queue, discipline)
            k = self._claim(now, len(outcomes), queue, discipline)
            if k is not None:
                minutes = float(self.minutes_N[k] * self.arrivals.length_N[k])
                busy_minutes += minutes
                decided_hour_N[k] = now + minutes / 60.0
                free_at = float(decided_hour_N[k])
            elif len(outcomes) < n:
                free_at = float(hours[len(outcomes)])
            else:
                continue
            heapq.heappush(free, (self.staff.next_at(reviewer, free_at), reviewer))
        while len(outcomes) < n:
            self._arrive(len(outcomes), outcomes, queue, discipline)
        return Run(tuple(outcomes), decided_hour_N, busy_minutes)

    def _arrive(
        self, k: int, outcomes: list[TriageOutcome], queue: _Queue, discipline: Discipline
    ) -> None:
        items = self.arrivals
        forecast = float(items.views_N[k] * math.exp(items.log_error_N[k]))
        probability, disagreement = float(items.probability_N[k]), float(items.disagreement_N[k])
        context = TriageContext(
            surface=items.surface_N[k],
            draws=Draws(float(items.draw_N2[k, 0]), float(items.draw_N2[k, 1])),
            modality=items.modality_N[k],
            reach=forecast,
            remaining_views=forecast,
            reviewer_error=self.reviewer_error,
            backlog_minutes=max(0.0, queue.backlog_minutes),
            capacity_minutes_per_hour=self.minutes_per_hour,
            disagreement=None if math.isnan(disagreement) else disagreement,
            reported_clause=items.reported_N[k],
        )
        evidence = Unscored("unscored") if math.isnan(probability) else _Score(probability)
        outcome = self.deployed.triage(evidence, context)
        outcomes.append(outcome)
        if outcome.while_waiting is None:
            return
        queue.held_N[k] = outcome.while_waiting is WhileWaiting.HELD
        if not discipline.has_lanes:
            queue.ordinary_N[k] = True
            return
        deadline = outcome.deadline_hours
        lane = lane_of(has_deadline=deadline is not None, is_deferred=outcome.is_deferred)
        if lane is Lane.LEGAL and deadline is not None:
            heapq.heappush(queue.legal, (float(items.hour_N[k]) + deadline, k))
        elif lane is Lane.DEFERRED:
            queue.deferred_N[k] = True
        else:
            queue.ordinary_N[k] = True
            if outcome.sample is not None:
                queue.drawn.append(k)
        if lane is not Lane.DEFERRED:
            queue.backlog_minutes += float(self.minutes_N[k])

    def _claim(self, now: float, arrived: int, queue: _Queue, discipline: Discipline) -> int | None:
        """The item that is reviewed next, taken out of the queue."""
        if queue.legal:
            k = heapq.heappop(queue.legal)[1]
        elif (drawn := self._reserved(queue, discipline)) is not None:
            k = drawn
        else:
            lane, waiting = Lane.ORDINARY, np.flatnonzero(queue.ordinary_N[:arrived])
            if not waiting.size:
                lane, waiting = Lane.DEFERRED, np.flatnonzero(queue.deferred_N[:arrived])
            if not waiting.size:
                return None
            self._rank(now, lane, waiting, queue, discipline.order)
            # The first of equals is the oldest.
            k = int(waiting[np.argmax(queue.priority_N[waiting])])
        if not queue.deferred_N[k]:
            queue.backlog_minutes -= float(self.minutes_N[k])
        queue.ordinary_N[k] = queue.deferred_N[k] = False
        return k

    def _rank(self, now: float, lane: Lane, waiting: Indices, queue: _Queue, order: Order) -> None:
        """Bring `queue.priority_N` up to date for what waits in a lane."""
        ranked_lane, ranked_hour = queue.ranked_at
        if ranked_lane is not lane or 60.0 * (now - ranked_hour) >= self.rerank_minutes:
            queue.ranked_at = (lane, now)
            new = waiting
        else:
            new = waiting[np.searchsorted(waiting, queue.ranked) :]
        if new.size:
            queue.priority_N[new] = self.priority(now, new, queue.held_N[new], order)
            queue.ranked = int(new[-1]) + 1

    def _reserved(self, queue: _Queue, discipline: Discipline) -> int | None:
        if not discipline.has_lanes:
            return None
        share = self.deployed.policy.sampling.reserved_reviews
        queue.claims += 1
        if not is_reserved_turn(queue.claims - 1, share):
            return None
        while queue.drawn:
            k = queue.drawn.popleft()
            if queue.ordinary_N[k]:
                return k
        return None

    def priority(self, now: float, k_W: Indices, held_W: Flags, order: Order) -> Floats:
        """Priorities of W items at an hour, by the order's own equations."""
        items = self.arrivals
        age_W = now - items.hour_N[k_W]
        scale_W = items.scale_hours_N[k_W]
        left_W = 1.0 - self.views.seen(age_W / scale_W)
        # The more of an item's views have been counted, the less is left to forecast wrongly.
        error_W = np.exp(items.log_error_N[k_W] * left_W)
        views_W = items.views_N[k_W]
        remaining_W = views_W * left_W * error_W
        facts: TaskFacts[Floats] = TaskFacts(
            score=self.score_N[k_W],
            probability=self.probability_N[k_W],
            severity=self.severity_N[k_W],
            missed=self.missed_N[k_W],
            cost_of_wrong=cost_of_wrong_action(
                remaining_W,
                wrong=self.wrong_N[k_W],
                wrong_per_view=self.wrong_view_N[k_W],
                reach_exponent=self.exponent_N[k_W],
            ),
            wrong_per_view=self.wrong_view_N[k_W],
            remaining_views=remaining_W,
            views_per_hour=views_W * self.views.speed(age_W / scale_W) / scale_W,
            minutes=self.minutes_N[k_W],
            reviewer_error=np.full(k_W.size, self.reviewer_error),
            is_held=held_W,
        )
        worth_W = order.worth(facts)
        if order.ageing is None:
            return worth_W
        aged: Floats = worth_W * order.ageing.factor(age_W, self.sla_N[k_W])
        return aged
