"""Labelled, scored items as arrays: what calibration is fitted on and measured with."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from moderation.calibration.draws import (
    Counts,
    Draws,
    Flags,
    Floats,
    bootstrap_draws,
    place_sources,
)
from moderation.calibration.estimate import Estimate, estimate
from moderation.types import LEVELS_K

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledItems:
    """N items of one judge in one mode; all arrays go by item.

    digit_NK: p(k) over the levels 0..9. is_manipulated_N: the truth. y_N: graded label in [0, 9],
    NaN where there is none. weight_N: what an item counts for, such as 1 / the propensity with
    which it was labelled. source_N: identity that is never split, and that the bootstrap
    resamples. modality_N, family_N: groups of the intervals, "" where unknown; the family is the
    recipe or the generator that made the item. split_N: part of the corpus.
    """

    digit_NK: Floats
    is_manipulated_N: Flags
    y_N: Floats
    weight_N: Floats
    source_N: Texts
    modality_N: Texts
    family_N: Texts
    split_N: Texts

    def __post_init__(self) -> None:
        items = len(self.digit_NK)
        if self.digit_NK.shape != (items, LEVELS_K):
            raise ValueError(f"digit distributions have the shape {self.digit_NK.shape}")
        if items and not np.allclose(self.digit_NK.sum(axis=1), 1.0, atol=1e-6):
            raise ValueError("a digit distribution does not sum to 1")
        for name in (
            *("is_manipulated_N", "y_N", "weight_N"),
            *("source_N", "modality_N", "family_N", "split_N"),
        ):
            if getattr(self, name).shape != (items,):
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}")
        if not np.all(np.isfinite(self.weight_N) & (self.weight_N > 0)):
            raise ValueError("a weight is not above 0")
        if not np.all(np.isnan(self.y_N) | ((self.y_N >= 0) & (self.y_N < LEVELS_K))):
            raise ValueError("a label y is off the scale 0..9")

    def __len__(self) -> int:
        return len(self.digit_NK)

    @property
    def manipulated(self) -> int:
        return int(self.is_manipulated_N.sum())

    @property
    def genuine(self) -> int:
        return len(self) - self.manipulated

    @property
    def sources(self) -> int:
        return len(set(self.source_N.tolist()))

    def take(self, item_M: Counts | Flags) -> "LabelledItems":
        """Some of the items."""
        return replace(
            self,
            digit_NK=self.digit_NK[item_M],
            is_manipulated_N=self.is_manipulated_N[item_M],
            y_N=self.y_N[item_M],
            weight_N=self.weight_N[item_M],
            source_N=self.source_N[item_M],
            modality_N=self.modality_N[item_M],
            family_N=self.family_N[item_M],
            split_N=self.split_N[item_M],
        )

    def once(self) -> Draws:
        """One draw of every item, weighted."""
        return Draws.once(len(self), self.weight_N)

    def draws(self, draws: int, seed: int) -> Draws:
        """Bootstrap draws over the sources, weighted."""
        place_N = place_sources(self.source_N)[1]
        return bootstrap_draws(place_N, draws=draws, seed=seed, weight_N=self.weight_N)

    def mean(self, value_N: Floats, *, draws: int, seed: int) -> Estimate:
        """Weighted mean with its interval over sources; NaN where there is no item."""
        if not len(self):
            return Estimate(float("nan"), float("nan"), float("nan"))
        value = float(self.once().mean(value_N)[0])
        value_D = self.draws(draws, seed).mean(value_N)
        return estimate(value, value_D, has_interval=self.sources > 1)


def texts(values: list[str]) -> Texts:
    """Strings as an array of objects."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
