"""Gradient boosting on pooled encoder features: the strongest cheap baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from rl.detectors.pooled import Pooled, PooledLayout
from rl.detectors.trees import Trees, from_scikit_learn
from rl.detectors.types import SCORE_MAX, Detection, Tensors
from rl.probes.statistics import Floats


@dataclass(frozen=True, slots=True)
class BoostedOptions:
    """leaves: of a tree. rate: shrinkage. trees: how many. features: share tried at a split."""

    leaves: int
    rate: float = 0.06
    trees: int = 200
    features: float = 0.05


GRID = (BoostedOptions(3), BoostedOptions(8), BoostedOptions(8, rate=0.03))


@dataclass(frozen=True, slots=True)
class BoostedPart:
    """One modality's trees; a missing block is NaN, for which every split has a learnt side."""

    layout: PooledLayout
    probability: Trees
    authenticity: Trees
    kind: ClassVar[str] = "boosted"

    def detect(self, items: list[Pooled]) -> list[Detection]:
        """P(manipulated), and the expected score clipped to the scale."""
        matrix = self.layout.matrix(items)
        score_N = np.clip(self.authenticity.raw(matrix), 0.0, SCORE_MAX)
        p_N = expit(self.probability.raw(matrix))
        return [Detection(float(s), float(p)) for s, p in zip(score_N, p_N, strict=True)]

    def to_parts(self) -> tuple[dict[str, Any], Tensors]:
        """(JSON, arrays)."""
        tensors = self.probability.to_tensors("probability")
        return {"layout": dict(self.layout.widths)}, tensors | self.authenticity.to_tensors("score")

    @classmethod
    def from_parts(cls, data: Mapping[str, Any], tensors: Tensors) -> "BoostedPart":
        """Restore what `to_parts` gave."""
        return cls(
            PooledLayout(data["layout"]),
            Trees.from_tensors("probability", tensors),
            Trees.from_tensors("score", tensors),
        )

    @classmethod
    def fit(
        cls,
        layout: PooledLayout,
        items: list[Pooled],
        forged_N: Floats,
        severity_N: Floats,
        options: BoostedOptions,
    ) -> "BoostedPart":
        """Log-loss for the class, squared error for the graded label y."""
        matrix = layout.matrix(items)
        chosen = {
            "max_iter": options.trees,
            "learning_rate": options.rate,
            "max_leaf_nodes": options.leaves,
            "max_features": options.features,
            "max_bins": 63,
            "min_samples_leaf": 10,
            "early_stopping": False,
            "random_state": 0,
        }
        classifier = HistGradientBoostingClassifier(**chosen).fit(matrix, forged_N > 0.5)
        regressor = HistGradientBoostingRegressor(**chosen)
        regressor.fit(matrix, SCORE_MAX * (1.0 - severity_N))
        return cls(layout, from_scikit_learn(classifier), from_scikit_learn(regressor))
