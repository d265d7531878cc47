"""How a task's priority grows with its age, and when it will have grown to a given value."""

import math
from dataclasses import dataclass

from moderation.policy.harm import Number


@dataclass(frozen=True, slots=True)
class Ageing:
    """Priority is worth · (1 + (age / SLA) ** exponent)."""

    exponent: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < self.exponent <= 16.0:
            raise ValueError(f"exponent {self.exponent} is not in (0, 16]")

    def factor(self, age_hours: Number, sla_hours: Number) -> Number:
        """1 for a fresh task, 2 at its SLA. age_hours: 0 or more."""
        value: Number = 1.0 + (age_hours / sla_hours) ** self.exponent
        return value

    def age_at(self, factor: float, sla_hours: float) -> float:
        """The age in hours at which `factor` is reached: its inverse, SLA · (f - 1) ** (1 / k).

        0 for factors of 1 and less; infinite where it is beyond all numbers.
        """
        if factor <= 1.0:
            return 0.0
        try:
            return float(sla_hours * (factor - 1.0) ** (1.0 / self.exponent))
        except OverflowError:
            return math.inf
