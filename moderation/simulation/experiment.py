"""Every order on the same arrivals, for many seeds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from moderation.priority.orders import (
    AvoidableHarm,
    CMu,
    FirstInFirstOut,
    RawScore,
    ValueOfInformation,
)
from moderation.simulation.arrivals import Arrivals
from moderation.simulation.estimate import Estimate, estimate
from moderation.simulation.harm import routes
from moderation.simulation.measurement import Measurement, measure
from moderation.simulation.queue import Discipline, QueueSimulation
from moderation.simulation.staff import Staff
from moderation.simulation.synthetic import World, arrivals
from moderation.triage.shadow import Deployed

DISCIPLINES = (
    Discipline("FIFO", FirstInFirstOut(), has_lanes=False),
    Discipline("FIFO, lanes", FirstInFirstOut()),
    Discipline("raw score", RawScore()),
    Discipline("cμ", CMu()),
    Discipline("information", ValueOfInformation(ageing=None)),
    Discipline("information, ageing", ValueOfInformation()),
    Discipline("avoidable harm", AvoidableHarm(ageing=None)),
    Discipline("avoidable harm, ageing", AvoidableHarm()),
)
"""The first one is what the others are compared with."""

_TRIED_ITEMS = 4000


class Source(Protocol):
    """Gives the arrivals of one seed, and says until which hour reviewers work on them."""

    @property
    def hours(self) -> float: ...

    def draw(self, rng: np.random.Generator) -> Arrivals: ...


@dataclass(frozen=True)
class Synthetic:
    """Made-up arrivals that bring `overload` times the work that the reviewers can do."""

    world: World
    deployed: Deployed
    staff: Staff
    overload: float

    @property
    def hours(self) -> float:
        """The world's days."""
        return 24.0 * self.world.days

    def draw(self, rng: np.random.Generator) -> Arrivals:
        """The arrivals of one seed."""
        rate = self.overload * self.staff.minutes_per_hour / self.minutes_per_item
        return arrivals(self.world, self.deployed.policy, rate_per_hour=rate, rng=rng)

    @cached_property
    def minutes_per_item(self) -> float:
        """Expected review work that an arrival brings, nothing for what is decided alone.

        From a few thousand items of the same world, with a seed of their own.
        """
        rate = _TRIED_ITEMS / (24.0 * self.world.days)
        tried = arrivals(
            self.world, self.deployed.policy, rate_per_hour=rate, rng=np.random.default_rng(0)
        )
        simulation = QueueSimulation(
            tried, self.staff, self.deployed, reviewer_error=0.0, hours=0.0
        )
        run = simulation.run(DISCIPLINES[0])
        is_review_N = routes(run.outcomes_N)[0]
        return float((simulation.minutes_N * is_review_N).mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Measurements by discipline, one a seed, in the order of `seeds`."""

    disciplines: tuple[Discipline, ...]
    seeds: tuple[int, ...]
    runs: dict[str, list[Measurement]]

    def of(self, label: str, measure_of: Callable[[Measurement], float]) -> Estimate:
        """A measure's mean over seeds."""
        return estimate([measure_of(one) for one in self.runs[label]])

    def harm_ratio(self, label: str) -> Estimate:
        """Harm against the first discipline's, seed by seed."""
        return estimate(self.harm_ratios(label))

    def harm_ratios(self, label: str) -> list[float]:
        """One a seed."""
        first = self.runs[self.disciplines[0].label]
        return [one.harm / base.harm for one, base in zip(self.runs[label], first, strict=True)]


def compare(
    source: Source,
    staff: Staff,
    deployed: Deployed,
    *,
    seeds: Sequence[int],
    reviewer_error: float,
    disciplines: tuple[Discipline, ...] = DISCIPLINES,
    on_run: Callable[[], None] = lambda: None,
) -> Comparison:
    """Run every discipline on the arrivals of every seed. on_run: called after each run."""
    runs: dict[str, list[Measurement]] = {one.label: [] for one in disciplines}
    for simulation in _simulations(source, staff, deployed, seeds, reviewer_error):
        for discipline in disciplines:
            runs[discipline.label].append(measure(simulation, simulation.run(discipline)))
            on_run()
    return Comparison(disciplines, tuple(seeds), runs)


def _simulations(
    source: Source, staff: Staff, deployed: Deployed, seeds: Sequence[int], reviewer_error: float
) -> Iterator[QueueSimulation]:
    for seed in seeds:
        drawn = source.draw(np.random.default_rng(seed))
        yield QueueSimulation(
            drawn, staff, deployed, reviewer_error=reviewer_error, hours=source.hours
        )
