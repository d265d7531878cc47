"""The pieces of detectors: pooling, curves, folds, point scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from encoders.types import Direction
from moderation.errors import ConfigurationError
from rl.detectors.groups import groups_of, out_of_fold
from rl.detectors.linear import LinearOptions, fit_plane
from rl.detectors.platt import Curve, fit_curve
from rl.detectors.pooled import PooledLayout, pool
from rl.detectors.scoring import digit_probabilities
from rl.detectors.signals import suspicion
from tests.unit.detectors.items import item


def test_pooling_is_mean_and_deviation_of_every_layer() -> None:
    features = item(0).features
    pooled = pool(features)
    values = features.sequences[0].layers["first"].astype(np.float64)
    assert list(pooled) == ["sound.first", "sound.second"]
    np.testing.assert_allclose(
        pooled["sound.first"], np.concatenate([values.mean(0), values.std(0)])
    )


def test_a_missing_block_is_nan_and_another_width_is_refused() -> None:
    layout = PooledLayout.of([{"b": np.ones(2)}, {"a": np.ones(1), "b": np.zeros(2)}])
    items = [{"b": np.array([3.0, 4.0])}, {"a": np.array([5.0]), "c": np.ones(7)}]
    want = [[np.nan, 3.0, 4.0], [5.0, np.nan, np.nan]]
    np.testing.assert_array_equal(layout.matrix(items), want)
    np.testing.assert_array_equal(layout.present(items), [[0, 1], [1, 0]])
    with pytest.raises(ConfigurationError, match="b is 3 wide"):
        layout.matrix([{"b": np.ones(3)}])
    with pytest.raises(ConfigurationError, match="b is 1 wide, and 2"):
        PooledLayout.of([{"b": np.ones(2)}, {"b": np.ones(1)}])


def test_a_curve_on_classes_is_scikit_learns_unpenalised_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = (rng.random(400) < 1 / (1 + np.exp(-(1.7 * x - 0.4)))).astype(np.float64)
    curve = fit_curve(x, y)
    model = LogisticRegression(C=np.inf, tol=1e-8).fit(x[:, None], y)
    assert curve.slope == pytest.approx(model.coef_[0, 0], abs=1e-3)
    assert curve.intercept == pytest.approx(model.intercept_[0], abs=1e-3)


def test_a_curve_recovers_fractions_and_never_turns_the_direction() -> None:
    x = np.linspace(-3, 3, 50)
    truth = Curve(0.8, 0.5)
    curve = fit_curve(x, truth(x))
    assert (curve.slope, curve.intercept) == pytest.approx((0.8, 0.5), abs=1e-4)
    against = fit_curve(x, Curve(2.0, 0.0)(-x))
    assert against.slope > 0.0
    assert np.all(np.diff(against(x)) > 0)


def test_a_plane_on_fractions_solves_the_penalised_likelihood() -> None:
    rng = np.random.default_rng(3)
    matrix, target = rng.normal(size=(120, 3)), rng.random(120)
    plane = fit_plane(matrix, target, LinearOptions(0.5))
    # Stationary point: C X'(p - t) + w = 0, and the intercept is not penalised.
    error = plane(matrix) - target
    np.testing.assert_allclose(0.5 * matrix.T @ error + plane.weights_D, 0.0, atol=5e-3)
    assert error.sum() == pytest.approx(0.0, abs=2e-2)


def test_directions() -> None:
    z = np.array([-2.0, 1.0])
    assert suspicion(z, Direction.HIGH).tolist() == [-2.0, 1.0]
    assert suspicion(z, Direction.LOW).tolist() == [2.0, -1.0]
    assert suspicion(z, Direction.EITHER).tolist() == [2.0, 1.0]


@given(st.floats(0.0, 9.0))
def test_a_point_score_is_the_mean_of_its_digits(score: float) -> None:
    p = np.array(digit_probabilities(score))
    assert p.min() >= 0.0
    assert p.sum() == pytest.approx(1.0)
    assert p @ np.arange(10) == pytest.approx(score)
    assert np.count_nonzero(p) <= 2


def test_no_group_is_on_both_sides_and_few_sources_fall_back_to_pairs() -> None:
    labels = np.tile([False, True], 30)
    groups = np.repeat([f"g{k}" for k in range(6)], 10)

    def fit_predict(at: np.ndarray, to: np.ndarray) -> np.ndarray:
        assert not set(groups[at]) & set(groups[to])
        return to.astype(np.float64)

    np.testing.assert_array_equal(out_of_fold(fit_predict, labels, groups), np.arange(60))
    assert set(groups_of(["a", "b", "c", "d"], list("wxyz"))) == {"a", "b", "c", "d"}
    assert set(groups_of(["a", "b", "a", "b"], list("wxyz"))) == set("wxyz")
    with pytest.raises(ConfigurationError, match="at least two"):
        out_of_fold(fit_predict, labels, np.repeat("g", 60))
