"""What a judge's description says of each encoder; free of heavy imports."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """How one encoder's sequence becomes soft tokens.

    layers: layer name -> feature width. tokens_per_window: Q.
    windows_per_second: 0 gives one window whatever the length. windows_max: the ceiling.
    """

    encoder: str
    layers: Mapping[str, int]
    tokens_per_window: int = 1
    windows_per_second: float = 1.0
    windows_max: int = 12

    def windows(self, duration_seconds: float) -> int:
        """Number of windows for media of this length, at least one."""
        wanted = math.ceil(self.windows_per_second * duration_seconds - 1e-6)
        return max(1, min(self.windows_max, wanted))
