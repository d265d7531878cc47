"""A task's priority with every factor of it: stored beside the task, and shown to the reviewer."""

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from moderation.priority.ageing import Ageing
from moderation.priority.facts import TaskFacts
from moderation.priority.lanes import Lane, lane_of
from moderation.priority.orders import Order
from moderation.priority.words import amount


@dataclass(frozen=True, slots=True)
class PriorityFactors:
    """worth: priority of the fresh task, by the order of this name; worth_in_words: how so.

    arrived_at: UTC. ageing: None: the priority stays. deadline_at: of the legal lane, UTC.
    is_sampled: the task was drawn, see `lanes`.
    """

    order: str
    facts: TaskFacts[float]
    worth: float
    worth_in_words: str
    ageing: Ageing | None
    arrived_at: datetime
    sla_hours: float
    deadline_at: datetime | None
    is_deferred: bool
    is_sampled: bool

    def __post_init__(self) -> None:
        if not 0.0 <= self.worth < math.inf:
            raise ValueError(f"worth {self.worth} must be finite, and 0 or more")
        if not 0.0 < self.sla_hours < math.inf:
            raise ValueError(f"SLA of {self.sla_hours} hours must be finite, and above 0")
        for when in (self.arrived_at, self.deadline_at):
            if when is not None and when.tzinfo is None:
                raise ValueError(f"time {when} has no time zone")

    @property
    def lane(self) -> Lane:
        """Where the task stands, whatever its priority."""
        return lane_of(has_deadline=self.deadline_at is not None, is_deferred=self.is_deferred)

    def age_hours(self, now: datetime) -> float:
        """0 for a task of the future."""
        return max(0.0, (now - self.arrived_at) / timedelta(hours=1))

    def value(self, now: datetime) -> float:
        """The priority at `now`: the higher, the sooner within the lane."""
        if self.ageing is None:
            return self.worth
        return self.worth * self.ageing.factor(self.age_hours(now), self.sla_hours)

    def sort_key(self, now: datetime) -> tuple[int, float, float]:
        """Ascending: lane; the deadline, or minus the priority; arrival. For columns and heaps."""
        inner = -self.value(now) if self.deadline_at is None else self.deadline_at.timestamp()
        return (int(self.lane), inner, self.arrived_at.timestamp())

    def exceeds_at(self, level: float) -> datetime | None:
        """When ageing will have raised the priority to `level`: exact, not searched.

        Its arrival where the fresh task is worth that much; None: never, or beyond the calendar.
        """
        if self.worth >= level:
            return self.arrived_at
        if self.ageing is None or self.worth == 0.0:
            return None
        age_hours = self.ageing.age_at(level / self.worth, self.sla_hours)
        try:
            return self.arrived_at + timedelta(hours=age_hours)
        except OverflowError:
            return None

    def next_rerank_at(self, now: datetime, growth: float = 0.05) -> datetime | None:
        """When the priority will be 1 + `growth` times that of `now`; None: never.

        Who ranks anew then never orders by a number that is too low by more than `growth`.
        Views that change are another reason to rank anew, and need new facts.
        """
        if growth <= 0.0:
            raise ValueError(f"growth {growth} must be above 0")
        if self.worth == 0.0 or self.ageing is None:
            return None
        return self.exceeds_at((1.0 + growth) * self.value(now))

    def explain(self, now: datetime) -> tuple[str, ...]:
        """Sentences for the reviewer, the lane first."""
        told = [self._lane_in_words(), self.worth_in_words]
        age_hours = self.age_hours(now)
        late = ", which is over" if age_hours > self.sla_hours else ""
        if self.ageing is None:
            told.append(f"waiting for {age_hours:.1f} of {self.sla_hours:g} hours{late}")
        else:
            factor = self.ageing.factor(age_hours, self.sla_hours)
            told.append(
                f"waiting for {age_hours:.1f} of {self.sla_hours:g} hours{late}, "
                f"which counts {amount(factor)} times"
            )
        told.append(f"priority {amount(self.value(now), digits=4)}, order {self.order}")
        return tuple(told)

    def _lane_in_words(self) -> str:
        drawn = "; drawn for the sample, it has reserved turns" if self.is_sampled else ""
        if self.deadline_at is not None:
            return f"legal lane, due {self.deadline_at:%Y-%m-%d %H:%M} UTC{drawn}"
        if self.is_deferred:
            return f"deferred: it comes when nothing else waits{drawn}"
        return f"ordinary lane{drawn}"

    def as_json(self) -> dict[str, Any]:
        """Everything, for a column; `from_json` undoes it."""
        record = asdict(self)
        record["arrived_at"] = self.arrived_at.isoformat()
        record["deadline_at"] = self.deadline_at and self.deadline_at.isoformat()
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "PriorityFactors":
        """What `as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it was written by something else.
        """
        deadline, ageing = record["deadline_at"], record["ageing"]
        return cls(
            **record
            | {
                "facts": TaskFacts(**record["facts"]),
                "ageing": None if ageing is None else Ageing(**ageing),
                "arrived_at": datetime.fromisoformat(record["arrived_at"]),
                "deadline_at": None if deadline is None else datetime.fromisoformat(deadline),
            }
        )


def prioritise(
    order: Order,
    facts: TaskFacts[float],
    *,
    arrived_at: datetime,
    sla_hours: float,
    deadline_at: datetime | None = None,
    is_deferred: bool = False,
    is_sampled: bool = False,
) -> PriorityFactors:
    """The priority of one task by one order."""
    return PriorityFactors(
        order=order.name,
        facts=facts,
        worth=float(order.worth(facts)),
        worth_in_words=order.words(facts),
        ageing=order.ageing,
        arrived_at=arrived_at,
        sla_hours=sla_hours,
        deadline_at=deadline_at,
        is_deferred=is_deferred,
        is_sampled=is_sampled,
    )
