"""Logistic regression on pooled encoder features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from rl.detectors.pooled import Pooled, PooledLayout
from rl.detectors.types import SCORE_MAX, Detection, Tensors
from rl.probes.statistics import Floats

PENALTIES = (1e-4, 1e-3, 1e-2)
_LIMIT = 8.0


@dataclass(frozen=True, slots=True)
class LinearOptions:
    """strength: scikit-learn's C, the inverse of the L2 penalty."""

    strength: float


GRID = tuple(LinearOptions(strength) for strength in PENALTIES)


@dataclass(frozen=True, slots=True)
class Plane:
    """sigmoid(x w + b)."""

    weights_D: Floats
    intercept: float

    def __call__(self, matrix_ND: Floats) -> Floats:
        value: Floats = expit(matrix_ND @ self.weights_D + self.intercept)
        return value


@dataclass(frozen=True, slots=True)
class LinearPart:
    """One modality's model.

    middle_D, scale_D: mean and standard deviation of the training items that have the block. A
    missing block becomes zeros, its mean, and a flag for each block says that it was there.
    """

    layout: PooledLayout
    middle_D: Floats
    scale_D: Floats
    probability: Plane
    severity: Plane
    kind: ClassVar[str] = "logistic"

    def detect(self, items: list[Pooled]) -> list[Detection]:
        """P(manipulated), and 9 (1 - expected severity)."""
        matrix = _standardised(self.layout, items, self.middle_D, self.scale_D)
        return [
            Detection(SCORE_MAX * (1.0 - float(severity)), float(p))
            for severity, p in zip(self.severity(matrix), self.probability(matrix), strict=True)
        ]

    def to_parts(self) -> tuple[dict[str, Any], Tensors]:
        """(JSON, arrays)."""
        data = {
            "layout": dict(self.layout.widths),
            "probability_intercept": self.probability.intercept,
            "severity_intercept": self.severity.intercept,
        }
        return data, {
            "middle": self.middle_D,
            "scale": self.scale_D,
            "probability": self.probability.weights_D,
            "severity": self.severity.weights_D,
        }

    @classmethod
    def from_parts(cls, data: Mapping[str, Any], tensors: Tensors) -> "LinearPart":
        """Restore what `to_parts` gave."""
        return cls(
            PooledLayout(data["layout"]),
            tensors["middle"],
            tensors["scale"],
            Plane(tensors["probability"], data["probability_intercept"]),
            Plane(tensors["severity"], data["severity_intercept"]),
        )

    @classmethod
    def fit(
        cls,
        layout: PooledLayout,
        items: list[Pooled],
        forged_N: Floats,
        severity_N: Floats,
        options: LinearOptions,
    ) -> "LinearPart":
        """Maximum penalised likelihood of the class, and of the graded severity in [0, 1]."""
        raw = layout.matrix(items)
        known = ~np.isnan(raw)
        count_D = np.maximum(known.sum(axis=0), 1)
        middle_D = np.where(known, raw, 0.0).sum(axis=0) / count_D
        spread_D = np.sqrt((np.where(known, raw - middle_D, 0.0) ** 2).sum(axis=0) / count_D)
        scale_D = np.where(spread_D > 1e-9, spread_D, 1.0)
        matrix = _standardised(layout, items, middle_D, scale_D)
        return cls(
            layout,
            middle_D,
            scale_D,
            fit_plane(matrix, forged_N, options),
            fit_plane(matrix, severity_N, options),
        )


def _standardised(
    layout: PooledLayout, items: list[Pooled], middle_D: Floats, scale_D: Floats
) -> Floats:
    z = np.clip((layout.matrix(items) - middle_D) / scale_D, -_LIMIT, _LIMIT)
    return np.concatenate([np.nan_to_num(z), layout.present(items)], axis=1)


def fit_plane(matrix_ND: Floats, target_N: Floats, options: LinearOptions) -> Plane:
    """Fractional logistic regression: each row counts as forged with weight `target`, else not."""
    count = len(target_N)
    model = LogisticRegression(C=options.strength, max_iter=1000, tol=1e-4)
    model.fit(
        np.concatenate([matrix_ND, matrix_ND]),
        np.repeat([1, 0], count),
        sample_weight=np.concatenate([target_N, 1.0 - target_N]),
    )
    return Plane(model.coef_[0].astype(np.float64), float(model.intercept_[0]))
