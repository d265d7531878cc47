"""Labelled items that a judge has scored: the input of every measurement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.calibration.draws import Counts, Flags, Floats
from moderation.types import LEVELS_K

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredItems:
    """N items of one judge; all arrays go by item.

    score_N: expected score in [0, 9], 9 wholly authentic. is_manipulated_N: the truth.
    y_N: graded label in [0, 9], NaN where the data set has none. source_N: identity that the
    bootstrap resamples. digit_NK: digit distribution, or None for a detector without one.
    probability_N: calibrated P(manipulated), or None. prior: share of manipulated items that
    the probability was fitted on. columns: further columns of the manifest, by name.
    """

    score_N: Floats
    is_manipulated_N: Flags
    y_N: Floats
    source_N: Texts
    digit_NK: Floats | None = None
    probability_N: Floats | None = None
    prior: float = 0.5
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.score_N.ndim != 1:
            raise ValueError(f"scores have the shape {self.score_N.shape}, not (N,)")
        by_item = {"is_manipulated": self.is_manipulated_N, "y": self.y_N, "source": self.source_N}
        if self.probability_N is not None:
            by_item["probability"] = self.probability_N
        for name, column in {**by_item, **self.columns}.items():
            if column.shape != self.score_N.shape:
                raise ValueError(f"{name} has the shape {column.shape}, not {self.score_N.shape}")
        if self.digit_NK is not None and self.digit_NK.shape != (len(self), LEVELS_K):
            raise ValueError(f"digit distributions have the shape {self.digit_NK.shape}")
        top = LEVELS_K - 1
        if not np.all((self.score_N >= 0) & (self.score_N <= top)):
            raise ValueError("a score is off the scale 0..9")
        if not np.all(np.isnan(self.y_N) | ((self.y_N >= 0) & (self.y_N <= top))):
            raise ValueError("a label y is off the scale 0..9")
        if self.probability_N is not None:
            p = self.probability_N
            if not np.all((p >= 0) & (p <= 1)) or not 0 < self.prior < 1:
                raise ValueError("a probability or the prior is off the scale")

    def __len__(self) -> int:
        return int(self.score_N.size)

    @property
    def sources(self) -> int:
        return len(set(self.source_N.tolist()))

    def take(self, item_M: Counts | Flags) -> "ScoredItems":
        """Some of the items."""
        return replace(
            self,
            score_N=self.score_N[item_M],
            is_manipulated_N=self.is_manipulated_N[item_M],
            y_N=self.y_N[item_M],
            source_N=self.source_N[item_M],
            digit_NK=None if self.digit_NK is None else self.digit_NK[item_M],
            probability_N=None if self.probability_N is None else self.probability_N[item_M],
            columns={name: column[item_M] for name, column in self.columns.items()},
        )
