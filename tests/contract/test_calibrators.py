"""One suite over every installed plugin of `moderation.calibrators`."""

import json

import numpy as np
import pytest

from moderation import registry
from moderation.calibration.log_odds import EPSILON
from moderation.ports import Calibrator
from moderation.registry import PluginGroup
from tests.unit.calibration.items import digits_and_labels

NAMES = [plugin.name for plugin in registry.plugins(PluginGroup.CALIBRATORS)]


def method(name: str) -> type[Calibrator]:
    return registry.load(PluginGroup.CALIBRATORS, name)


def nll(probability: np.ndarray, truth: np.ndarray) -> float:
    given = np.where(truth, probability, 1 - probability)
    return float(-np.log(np.clip(given, EPSILON, 1)).mean())


def test_the_built_in_methods_register_as_plugins() -> None:
    assert {"beta", "digits", "isotonic", "platt", "temperature"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_the_plugins(name: str) -> None:
    assert method(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_json_and_give_the_same_map(name: str) -> None:
    digit, truth, _ = digits_and_labels(400, seed=1)
    fitted = method(name).fit(digit, truth)
    read = method(name).from_parameters(
        json.loads(json.dumps(fitted.parameters(), allow_nan=False))
    )
    assert np.array_equal(read.probability(digit), fitted.probability(digit))
    assert read.parameters() == fitted.parameters()


@pytest.mark.parametrize("name", NAMES)
def test_one_item_gets_what_it_gets_among_others(name: str) -> None:
    digit, truth, _ = digits_and_labels(100, seed=2)
    fitted = method(name).fit(digit, truth)
    alone = np.concatenate([fitted.probability(row[None]) for row in digit])
    assert alone == pytest.approx(fitted.probability(digit), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_of_extreme_distributions_are_in_range(name: str) -> None:
    digit, truth, _ = digits_and_labels(200, seed=3)
    p = method(name).fit(digit, truth).probability(np.eye(10))
    assert np.all(np.isfinite(p))
    assert np.all((p >= 0) & (p <= 1))
    assert p[0] > p[9]


@pytest.mark.parametrize("name", NAMES)
def test_fitting_beats_the_base_rate_and_the_naive_reading(name: str) -> None:
    digit, truth, _ = digits_and_labels(3000, seed=4, sharpness=3.0, share=0.2)
    fitted = method(name).fit(digit[:1500], truth[:1500])
    p, fresh = fitted.probability(digit[1500:]), truth[1500:]
    naive = 1 - digit[1500:] @ np.arange(10) / 9
    assert nll(p, fresh) < nll(np.full(fresh.size, truth[:1500].mean()), fresh)
    assert nll(p, fresh) < nll(naive, fresh)
    assert abs(p.mean() - fresh.mean()) < 0.04


@pytest.mark.parametrize("name", NAMES)
def test_separable_items_have_a_finite_fit(name: str) -> None:
    digit, truth, _ = digits_and_labels(60, seed=5, skill=12.0)
    p = method(name).fit(digit, truth).probability(digit)
    assert np.all((p > 0) & (p < 1))


@pytest.mark.parametrize("name", NAMES)
def test_an_integer_weight_is_a_repeated_item(name: str) -> None:
    digit, truth, _ = digits_and_labels(300, seed=6)
    times = np.random.default_rng(6).integers(1, 4, truth.size)
    weighted = method(name).fit(digit, truth, times.astype(float))
    repeated = method(name).fit(np.repeat(digit, times, axis=0), np.repeat(truth, times))
    # Smoothed targets and penalties see the number of items, which differs a little.
    assert weighted.probability(digit) == pytest.approx(repeated.probability(digit), abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_the_weights_does_not_matter(name: str) -> None:
    digit, truth, _ = digits_and_labels(200, seed=7)
    weight = np.random.default_rng(7).uniform(0.5, 4, truth.size)
    one, other = (method(name).fit(digit, truth, k * weight) for k in (1.0, 10.0))
    assert one.probability(digit) == pytest.approx(other.probability(digit), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weight", [np.zeros(200), np.full(200, np.nan), np.ones(3)])
def test_weights_that_are_none_are_refused(name: str, weight: np.ndarray) -> None:
    digit, truth, _ = digits_and_labels(200, seed=8)
    with pytest.raises(ValueError, match="weight"):
        method(name).fit(digit, truth, weight)
