"""Trees as arrays give what scikit-learn gives, and refuse what is no tree."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from moderation.errors import ConfigurationError
from rl.detectors.trees import Trees, from_scikit_learn

OPTIONS = {"max_iter": 12, "max_leaf_nodes": 6, "min_samples_leaf": 5, "random_state": 0}


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(300, 9))
    target = matrix[:, 0] + np.abs(matrix[:, 3]) * matrix[:, 5] + 0.3 * rng.normal(size=300)
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    return matrix, target


@pytest.fixture(scope="module")
def trees(data: tuple[np.ndarray, np.ndarray]) -> Trees:
    return from_scikit_learn(HistGradientBoostingRegressor(**OPTIONS).fit(*data))


def test_sums_are_scikit_learns(data: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    matrix, target = data
    fresh = np.random.default_rng(1).normal(size=(200, 9))
    fresh[::3, 2:7] = np.nan
    regressor = HistGradientBoostingRegressor(**OPTIONS).fit(matrix, target)
    classifier = HistGradientBoostingClassifier(**OPTIONS).fit(matrix, target > 0.5)
    np.testing.assert_allclose(trees.raw(fresh), regressor.predict(fresh), atol=1e-10)
    np.testing.assert_allclose(
        from_scikit_learn(classifier).raw(fresh), classifier.decision_function(fresh), atol=1e-10
    )


def test_arrays_come_back(data: tuple[np.ndarray, np.ndarray], trees: Trees) -> None:
    again = Trees.from_tensors("x", trees.to_tensors("x"))
    np.testing.assert_array_equal(again.raw(data[0]), trees.raw(data[0]))
    with pytest.raises(ConfigurationError, match="no array"):
        Trees.from_tensors("y", trees.to_tensors("x"))


def test_children_may_not_point_backwards_or_outside(trees: Trees) -> None:
    loop, beyond = trees.left.copy(), trees.right.copy()
    inner = int(np.flatnonzero(trees.left > 0)[-1])
    loop[inner], beyond[inner] = inner, trees.value.size
    with pytest.raises(ConfigurationError, match="children"):
        replace(trees, left=loop)
    with pytest.raises(ConfigurationError, match="children"):
        replace(trees, right=beyond)
    with pytest.raises(ConfigurationError, match="different length"):
        replace(trees, value=trees.value[:-1])
