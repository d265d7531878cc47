"""How the views of an item come in over its age.

x: age divided by the item's own time scale, 0 or more, a float or an array.
"""

from typing import Any, Protocol

import numpy as np

from moderation.policy.harm import Floats


class ViewCurve(Protocol):
    """`seen`: share of all views by x, from 0 to 1. `speed`: its derivative."""

    def seen(self, x: Floats) -> Floats: ...

    def speed(self, x: Floats) -> Floats: ...


class GrowingViews:
    """Views grow, peak at x = 1, and fade: a gamma density of shape 2, x · exp(-x)."""

    def seen(self, x: Floats) -> Floats:
        """1 - (1 + x) exp(-x)."""
        value: Any = 1.0 - (1.0 + x) * np.exp(-x)
        return value  # type: ignore[no-any-return]

    def speed(self, x: Floats) -> Floats:
        """x exp(-x)."""
        value: Any = x * np.exp(-x)
        return value  # type: ignore[no-any-return]


class SteadyViews:
    """The same views every hour until x = 1, none after."""

    def seen(self, x: Floats) -> Floats:
        """min(x, 1)."""
        value: Any = np.minimum(x, 1.0)
        return value  # type: ignore[no-any-return]

    def speed(self, x: Floats) -> Floats:
        """1 until x = 1."""
        value: Any = np.where(x < 1.0, 1.0, 0.0)
        return value  # type: ignore[no-any-return]
