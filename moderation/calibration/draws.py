"""Bootstrap draws over sources: how often each source was drawn, never a copy of an item.

D draws, S sources, N items. Items of one source rise and fall together (cluster bootstrap,
Davison and Hinkley 1997, section 3.8), because clips of one speaker or scene are no independent
evidence. A draw is a vector of multiplicities: a metric of weighted items at those weights equals
the metric of the resampled items, and items are sorted once for all draws.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Draws are taken in blocks: a temporary of a metric holds at most this many numbers.
BLOCK_NUMBERS = 2**18


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """D draws of S sources, and which source each of N items belongs to.

    count_DS: how often each source was drawn, float64 whole numbers >= 0. place_N: the source
    of each item, in 0..S-1. weight_N: what one item counts for, such as 1 / the propensity with
    which it was labelled; None where all count alike.
    """

    count_DS: Floats
    place_N: Counts
    weight_N: Floats | None = None

    def __post_init__(self) -> None:
        if self.count_DS.ndim != 2 or self.place_N.ndim != 1:
            raise ValueError(f"counts {self.count_DS.shape} and places {self.place_N.shape}")
        if self.place_N.size and not 0 <= self.place_N.min() <= self.place_N.max() < self.sources:
            raise ValueError(f"places beyond the {self.sources} sources")
        if self.weight_N is not None and self.weight_N.shape != self.place_N.shape:
            raise ValueError(f"weights {self.weight_N.shape} and places {self.place_N.shape}")

    @classmethod
    def once(cls, items: int, weight_N: Floats | None = None) -> Self:
        """One draw that takes every item once: metrics become plain point estimates."""
        return cls(np.ones((1, 1)), np.zeros(items, dtype=np.int64), weight_N)

    @property
    def draws(self) -> int:
        return int(self.count_DS.shape[0])

    @property
    def sources(self) -> int:
        return int(self.count_DS.shape[1])

    def weight(self, order_M: Counts | None = None) -> Floats:
        """How much each item counts in each draw, (D, M), for the items named in `order_M`."""
        place = self.place_N if order_M is None else self.place_N[order_M]
        times = np.take(self.count_DS, place, axis=1)
        if self.weight_N is None:
            return times
        return times * (self.weight_N if order_M is None else self.weight_N[order_M])

    def total(self, value_NK: Floats) -> Floats:
        """Weighted sums of columns over the items, (D, K): summed by source, then drawn."""
        by_source = np.zeros((self.sources, value_NK.shape[1]))
        weighted_NK = value_NK if self.weight_N is None else self.weight_N[:, None] * value_NK
        np.add.at(by_source, self.place_N, weighted_NK)
        return self.count_DS @ by_source

    def mean(self, value_N: Floats) -> Floats:
        """Weighted mean, (D,); NaN where a draw holds no item."""
        total = self.total(np.stack([value_N, np.ones_like(value_N)], axis=1))
        return divide(total[:, 0], total[:, 1])

    def take(self, item_M: Counts | Flags) -> "Draws":
        """The same draws for some of the items."""
        weight_N = None if self.weight_N is None else self.weight_N[item_M]
        return Draws(self.count_DS, self.place_N[item_M], weight_N)

    def blocks(self) -> Iterator["Draws"]:
        """The draws in runs that keep temporaries under `BLOCK_NUMBERS` numbers."""
        step = max(1, BLOCK_NUMBERS // max(1, self.place_N.size))
        for start in range(0, self.draws, step):
            yield Draws(self.count_DS[start : start + step], self.place_N, self.weight_N)


def divide(top: Floats, bottom: Floats) -> Floats:
    """`top / bottom`, NaN where `bottom` is 0."""
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    share: Floats = np.divide(top, bottom, out=np.full(shape, np.nan), where=bottom != 0)
    return share


def place_sources(sources: Sequence[str] | npt.NDArray[Any]) -> tuple[list[str], Counts]:
    """The distinct names, sorted, and the place of each item's name among them."""
    names, place_N = np.unique(np.asarray(sources, dtype=object).astype(str), return_inverse=True)
    return names.tolist(), place_N.astype(np.int64)


def bootstrap_draws(
    place_N: Counts, *, draws: int = 1000, seed: int = 0, weight_N: Floats | None = None
) -> Draws:
    """`draws` samples of as many sources as there are, with replacement; the same for a seed."""
    sources = int(place_N.max()) + 1 if place_N.size else 1
    generator = np.random.default_rng(seed)
    count_DS = np.empty((draws, sources))
    for row in count_DS:
        row[:] = np.bincount(generator.integers(sources, size=sources), minlength=sources)
    return Draws(count_DS, place_N, weight_N)
