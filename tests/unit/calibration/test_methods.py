"""Each way to probabilities against scikit-learn, a closed form or an exact search."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from moderation.calibration import digits
from moderation.calibration.beta import Beta
from moderation.calibration.digit_regression import DigitRegression
from moderation.calibration.isotonic import Isotonic
from moderation.calibration.log_odds import log_odds, log_sum_exp, sigmoid, smoothed_targets
from moderation.calibration.platt import Platt
from moderation.calibration.temperature import Temperature
from tests.unit.calibration.items import digits_and_labels


class ScoreClassifier(ClassifierMixin, BaseEstimator):
    """The expected score as a decision function of "manipulated"."""

    def fit(self, digit, truth):
        self.classes_ = np.array([False, True])
        return self

    def predict(self, digit):
        return self.decision_function(digit) > -4.5

    def decision_function(self, digit):
        return -digit @ np.arange(10)


def sklearn_probability(method: str, digit, truth, weight=None):
    frozen = FrozenEstimator(ScoreClassifier().fit(digit, truth))
    model = CalibratedClassifierCV(frozen, method=method, ensemble=False, cv=2)
    return model.fit(digit, truth, sample_weight=weight).predict_proba(digit)[:, 1]


def test_platt_is_that_of_scikit_learn() -> None:
    digit, truth, _ = digits_and_labels(500, seed=0)
    expected = sklearn_probability("sigmoid", digit, truth)
    assert Platt.fit(digit, truth).probability(digit) == pytest.approx(expected, abs=1e-4)


def test_isotonic_is_that_of_scikit_learn_inside_its_edges() -> None:
    digit, truth, _ = digits_and_labels(500, seed=0)
    weight = np.random.default_rng(0).uniform(0.5, 2, 500)
    score = digits.expected_scores(digit)
    model = IsotonicRegression(increasing=False).fit(score, truth, weight)
    expected = np.clip(model.predict(score), 1 / 502, 501 / 502)
    assert Isotonic.fit(digit, truth, weight).probability(digit) == pytest.approx(expected)
    by_classifier = np.clip(sklearn_probability("isotonic", digit, truth), 1 / 502, 501 / 502)
    assert Isotonic.fit(digit, truth).probability(digit) == pytest.approx(by_classifier)


def test_beta_is_logistic_regression_of_two_logarithms() -> None:
    """Kull et al. 2017, section 4: any logistic regression fits it."""
    digit, truth, _ = digits_and_labels(4000, seed=1)
    s = np.clip(1 - digits.expected_scores(digit) / 9, 1e-4, 1 - 1e-4)
    feature = np.column_stack([np.log(s), -np.log1p(-s)])
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(feature, truth)
    assert np.all(model.coef_ > 0)
    found = Beta.fit(digit, truth)
    assert found.probability(digit) == pytest.approx(model.predict_proba(feature)[:, 1], abs=3e-3)


def test_beta_with_a_and_b_1_leaves_probabilities_alone() -> None:
    digit, _, _ = digits_and_labels(50, seed=2)
    naive = digits.naive_probability(digit)
    assert Beta(1.0, 1.0, 0.0).probability(digit) == pytest.approx(naive, abs=1e-6)


def test_beta_does_not_turn_round() -> None:
    digit, truth, _ = digits_and_labels(500, seed=2)
    found = Beta.fit(digit, ~truth)
    assert (found.a, found.b) == (0.0, 0.0)
    with pytest.raises(ValueError, match="order"):
        Beta(-1.0, 0.0, 0.0)


def test_temperature_is_the_mass_below_level_9_of_the_tempered_digits() -> None:
    digit, _, _ = digits_and_labels(50, seed=3)
    digit = np.clip(digit, 1e-5, None)
    digit /= digit.sum(axis=1, keepdims=True)
    bias = np.zeros(10)
    bias[9] = 0.7
    tempered = np.exp(log_softmax(np.log(digit) / 1.8 + bias, axis=1))
    found = Temperature(1.8, 0.7).probability(digit)
    assert found == pytest.approx(1 - tempered[:, 9], abs=1e-12)
    assert Temperature(1.0, 0.0).probability(digit) == pytest.approx(1 - digit[:, 9])


def test_temperature_finds_the_least_loss() -> None:
    digit, truth, _ = digits_and_labels(800, seed=4, sharpness=2.0)
    found = Temperature.fit(digit, truth)
    target = smoothed_targets(truth, np.ones(800))

    def loss(parameters):
        p = np.clip(Temperature(np.exp(parameters[0]), parameters[1]).probability(digit), 1e-12, 1)
        return -np.mean(target * np.log(p) + (1 - target) * np.log(np.clip(1 - p, 1e-12, 1)))

    searched = minimize(loss, [0.5, 0.5], method="Nelder-Mead", options={"xatol": 1e-8})
    assert loss([np.log(found.temperature), found.bias]) <= searched.fun + 1e-8


def test_temperature_finds_what_made_the_labels() -> None:
    digit, _, _ = digits_and_labels(40_000, seed=5)
    digit = 0.9 * digit + 0.01
    p = Temperature(2.5, -0.8).probability(digit)
    truth = np.random.default_rng(50).random(p.size) < p
    found = Temperature.fit(digit, truth)
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    assert found.bias == pytest.approx(-0.8, abs=0.1)


def test_digit_regression_is_that_of_scikit_learn() -> None:
    digit, truth, _ = digits_and_labels(600, seed=6)
    log_p = np.log(np.maximum(digit, 1e-4))
    scaled = (log_p - log_p.mean(0)) / log_p.std(0)
    model = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(scaled, truth)
    found = DigitRegression.fit(digit, truth).probability(digit)
    assert found == pytest.approx(model.predict_proba(scaled)[:, 1], abs=1e-9)


def test_log_odds_and_back() -> None:
    x = np.array([-800.0, -30, -1, 0, 1, 30, 800])
    assert sigmoid(x) == pytest.approx(expit(x))
    p = np.array([1e-12, 0.2, 0.5, 0.999])
    assert sigmoid(log_odds(p)) == pytest.approx(p)
    assert np.all(np.isfinite(log_odds(np.array([0.0, 1.0]))))
    value = np.array([[1000.0, 1000.0], [-1000.0, 0.0]])
    assert log_sum_exp(value) == pytest.approx([1000 + np.log(2), 0.0])


def test_quantiles_of_a_digit_distribution() -> None:
    uniform = np.full((1, 10), 0.1)
    # Level k fills [k - 1/2, k + 1/2]: tenths are the edges between levels.
    for k in range(1, 10):
        assert digits.digit_quantile(uniform, k / 10)[0] == pytest.approx(k - 0.5)
    sure = np.eye(10)[[4]]
    assert digits.digit_quantile(sure, 0.5)[0] == pytest.approx(4.0)
    assert digits.digit_quantile(sure, 0.95)[0] == pytest.approx(4.45)
    assert digits.digit_quantile(np.eye(10)[[0]], 0.05)[0] == pytest.approx(0.025)
    assert digits.digit_quantile(np.eye(10)[[9]], 1.0)[0] == 9.0
