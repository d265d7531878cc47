"""Conformal quantiles by group: coverage within each group, not only on average.

Mondrian conformal prediction (Vovk et al. 2005, section 4.5).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.calibration.conformal import TOP, conformal_quantile, items_min
from moderation.calibration.draws import Flags, Floats

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Cell:
    """One group. quantile: of the nonconformity; 9, the whole scale, where `items` are too few."""

    quantile: float
    items: int


@dataclass(frozen=True, slots=True)
class Cells:
    """Quantiles by group; whoever has no cell of its own gets that of all items."""

    everything: Cell
    by_group: Mapping[str, Cell]

    def group(self, name: str | None) -> str:
        """Which cell serves a group: its own, or `all`."""
        return name if name in self.by_group and name is not None else EVERYTHING

    def quantiles(self, groups: Sequence[str | None]) -> Floats:
        """The quantile that serves each item's group, (N,)."""
        return np.array(
            [
                self.everything.quantile
                if self.group(name) == EVERYTHING
                else self.by_group[str(name)].quantile
                for name in groups
            ]
        )


def fit_cells(
    nonconformity_N: Floats,
    groups: Sequence[str | None],
    coverage: float,
    weight_N: Floats | None = None,
) -> Cells:
    """A cell for each named group whose quantile is finite, and one of everything.

    With equal weights that takes `items_min(coverage)` items: below, only the whole scale would
    have the coverage.
    """
    named = np.array([name or "" for name in groups], dtype=object)
    weights = np.ones(nonconformity_N.size) if weight_N is None else weight_N

    def quantile(member_N: Flags) -> float:
        return conformal_quantile(nonconformity_N[member_N], coverage, weights[member_N])

    by_group = {}
    for name in sorted(set(named.tolist()) - {""}):
        member_N = named == name
        found = quantile(member_N)
        if member_N.sum() >= items_min(coverage) and math.isfinite(found):
            by_group[name] = Cell(found, int(member_N.sum()))
    everything = quantile(np.ones(named.size, dtype=np.bool_))
    return Cells(Cell(min(everything, TOP), named.size), by_group)
