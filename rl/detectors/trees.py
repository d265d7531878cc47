"""Boosted trees as plain arrays: read without scikit-learn, and without running anyone's code.

A pickle can run anything on loading; arrays cannot. `from_scikit_learn` copies the trees of a
fitted HistGradientBoosting model, and `raw` sums their leaves as scikit-learn does.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.errors import ConfigurationError
from rl.detectors.types import Tensors
from rl.probes.statistics import Floats

DEPTH_MAX = 64
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Trees:
    """All nodes of all trees in one row each; children are rows too, always after their parent.

    root_T: first node of each of T trees. baseline: what the sum starts from. A leaf has
    left = right = 0. NaN goes left where `missing_left` says so.
    """

    root_T: Indices
    feature: Indices
    threshold: Floats
    left: Indices
    right: Indices
    missing_left: Flags
    value: Floats
    baseline: Floats

    def __post_init__(self) -> None:
        nodes = self.value.shape
        columns = (self.feature, self.threshold, self.left, self.right, self.missing_left)
        if self.value.ndim != 1 or any(column.shape != nodes for column in columns):
            raise _damaged("columns of different length")
        if self.baseline.shape != (1,) or not np.isfinite(self.value).all():
            raise _damaged("a baseline or a leaf that is no number")
        at = np.arange(self.value.size)
        inner = self.left > 0
        ordered = (self.left > at) & (self.right > at) & (self.left < at.size)
        if not np.all((ordered & (self.right < at.size))[inner]) or np.any(self.feature < 0):
            raise _damaged("children outside the tree")
        if np.any((self.root_T < 0) | (self.root_T >= at.size)):
            raise _damaged("roots outside the trees")

    def raw(self, matrix_ND: Floats) -> Floats:
        """(N,): the baseline and one leaf of each tree, summed."""
        total_N = np.full(len(matrix_ND), float(self.baseline[0]))
        row_N = np.arange(len(matrix_ND))
        for root in self.root_T:
            node_N = np.full(len(matrix_ND), root)
            for _ in range(DEPTH_MAX):
                inner_N = self.left[node_N] > 0
                if not inner_N.any():
                    break
                x_N = matrix_ND[row_N, self.feature[node_N]]
                goes_left_N = np.where(
                    np.isnan(x_N), self.missing_left[node_N] > 0, x_N <= self.threshold[node_N]
                )
                child_N = np.where(goes_left_N, self.left[node_N], self.right[node_N])
                node_N = np.where(inner_N, child_N, node_N)
            total_N += self.value[node_N]
        return total_N

    def to_tensors(self, prefix: str) -> Tensors:
        """Arrays by name."""
        return {f"{prefix}.{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_tensors(cls, prefix: str, tensors: Tensors) -> "Trees":
        """Restore what `to_tensors` gave.

        Raises:
            ConfigurationError: the arrays are no trees.
        """
        try:
            return cls(**{field.name: tensors[f"{prefix}.{field.name}"] for field in fields(cls)})
        except KeyError as error:
            raise _damaged(f"no array {error}") from error


def _damaged(found: str) -> ConfigurationError:
    return ConfigurationError(
        f"boosted trees with {found}",
        expected="trees as `moderation detectors fit` writes them",
        remedy="Restore the artefact from its source, or fit again.",
    )


def from_scikit_learn(model: Any) -> Trees:
    """The trees of a fitted, numeric, single-output HistGradientBoosting model."""
    nodes = [tree.nodes for stage in model._predictors for tree in stage]
    sizes = np.array([len(tree) for tree in nodes])
    root_T = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    joined = np.concatenate(nodes)
    offset = np.repeat(root_T, sizes)
    inner = joined["is_leaf"] == 0
    return Trees(
        root_T=root_T.astype(np.int32),
        feature=np.where(inner, joined["feature_idx"], 0).astype(np.int32),
        threshold=np.where(inner, joined["num_threshold"], 0.0),
        left=np.where(inner, joined["left"] + offset, 0).astype(np.int32),
        right=np.where(inner, joined["right"] + offset, 0).astype(np.int32),
        missing_left=np.where(inner, joined["missing_go_to_left"], 0).astype(np.uint8),
        value=joined["value"].astype(np.float64),
        baseline=np.asarray(model._baseline_prediction, np.float64).reshape(1),
    )
