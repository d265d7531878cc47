"""Orders of a review queue: what a fresh task is worth. Ties go to the task that came first.

Two of them price a review by what it changes. `ValueOfInformation` is right where an item that
nobody reviews gets the better of both actions. In a queue it does not: it stays as it is, up or
held. An item that is nearly certain to be manipulated, and up, is then worth almost nothing to
`ValueOfInformation` (acting on it would cost little), and yet it does all its harm while it waits.
`AvoidableHarm` counts from the state that the item waits in. Where the machine enforces what is
nearly certain, such items do not reach the queue, and both come close to each other.

Both look at what is left to avoid now, not at how fast it goes. `CMu` looks at the speed alone,
which is right while everything is served in the end, and wrong when some items never are.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from moderation.policy.harm import Number, avoidable_harm, information_value
from moderation.priority.ageing import Ageing
from moderation.priority.facts import TaskFacts
from moderation.priority.words import amount

SCORE_MAX = 9.0


class Order(Protocol):
    """name: in records and commands. ageing: None where worth does not grow with age."""

    @property
    def name(self) -> str: ...

    @property
    def ageing(self) -> Ageing | None: ...

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """Of a fresh task, 0 or more; the higher, the sooner."""
        ...

    def words(self, facts: TaskFacts[float]) -> str:
        """How `worth` came about."""
        ...


@dataclass(frozen=True, slots=True)
class FirstInFirstOut:
    """Every task is worth the same, so the oldest comes first."""

    name: ClassVar[str] = "fifo"
    ageing: ClassVar[Ageing | None] = None

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """1 for every task."""
        return facts.minutes * 0.0 + 1.0

    def words(self, facts: TaskFacts[float]) -> str:
        """The same for every task."""
        return "every item is worth the same, the oldest comes first"


@dataclass(frozen=True, slots=True)
class RawScore:
    """The most suspicious score first, whatever the reach."""

    name: ClassVar[str] = "score"
    ageing: ClassVar[Ageing | None] = None

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """9 - score."""
        return SCORE_MAX - facts.score

    def words(self, facts: TaskFacts[float]) -> str:
        """The score on its scale."""
        return f"score {facts.score:.2f}, where 0 is the most suspicious"


@dataclass(frozen=True, slots=True)
class CMu:
    """Cost of an hour's waiting times the rate of service: Cox and Smith, Queues (1961).

    Best of all where costs are linear in time, and everything is served in the end.
    """

    name: ClassVar[str] = "cmu"
    ageing: ClassVar[Ageing | None] = None

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """Expected harm an hour of waiting, divided by the minutes of the review."""
        return _harm_an_hour(facts) / facts.minutes

    def words(self, facts: TaskFacts[float]) -> str:
        """Speed of harm and length of the review."""
        return (
            f"an hour of waiting does {amount(float(_harm_an_hour(facts)))} harm, "
            f"and a review takes {_minutes(facts)}"
        )


def _harm_an_hour(facts: TaskFacts[Number]) -> Number:
    p = facts.probability
    a_view: Any = np.where(facts.is_held, (1.0 - p) * facts.wrong_per_view, p * facts.severity)
    value: Number = a_view * facts.views_per_hour
    return value


@dataclass(frozen=True, slots=True)
class ValueOfInformation:
    """min(harm up, harm down) · (1 - reviewer error) a minute of review, with ageing."""

    name: ClassVar[str] = "information"
    ageing: Ageing | None = field(default_factory=Ageing, kw_only=True)

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """See `moderation.policy.harm.information_value`."""
        return information_value(facts.up, facts.down, facts.reviewer_error) / facts.minutes

    def words(self, facts: TaskFacts[float]) -> str:
        """Both harms, the smaller one of which a review decides about."""
        return f"{_both(facts)}; the smaller is what a review is worth, in {_review(facts)}"


@dataclass(frozen=True, slots=True)
class AvoidableHarm:
    """What a review avoids against leaving the item as it waits, a minute, with ageing."""

    name: ClassVar[str] = "avoidable"
    ageing: Ageing | None = field(default_factory=Ageing, kw_only=True)

    def worth(self, facts: TaskFacts[Number]) -> Number:
        """See `moderation.policy.harm.avoidable_harm`."""
        avoided = avoidable_harm(
            facts.up, facts.down, is_held=facts.is_held, reviewer_error=facts.reviewer_error
        )
        return avoided / facts.minutes

    def words(self, facts: TaskFacts[float]) -> str:
        """Both harms, and in which state the item waits."""
        state = "held back" if facts.is_held else "up"
        return f"{_both(facts)}; it is {state} while it waits for {_review(facts)}"


def _both(facts: TaskFacts[float]) -> str:
    return (
        f"expected harm {amount(facts.up)} if it stays up "
        f"(P(manipulated) {amount(facts.probability)}, severity {amount(facts.severity)}, "
        f"{amount(facts.remaining_views)} views to come) and {amount(facts.down)} if it is acted on"
    )


def _review(facts: TaskFacts[float]) -> str:
    return f"a review of {_minutes(facts)} that errs in {facts.reviewer_error:.0%}"


def _minutes(facts: TaskFacts[float]) -> str:
    return f"{amount(facts.minutes)} minute{'' if facts.minutes == 1 else 's'}"


# By the names that settings and records have.
ORDERS: dict[str, type[Order]] = {
    order.name: order
    for order in (FirstInFirstOut, RawScore, CMu, ValueOfInformation, AvoidableHarm)
}
