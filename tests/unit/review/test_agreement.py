"""Agreement against published figures, closed forms and scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from moderation.review.agreement import (
    MISSING,
    cohen_kappa,
    coincidence_matrix,
    krippendorff_alpha,
    with_interval,
)

_ = MISSING
# Krippendorff, Computing Krippendorff's alpha-reliability (2011), C: four observers, 12 units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T


def test_alpha_of_the_published_example() -> None:
    assert krippendorff_alpha(PUBLISHED) == pytest.approx(0.743, abs=5e-4)
    found = coincidence_matrix(PUBLISHED)[1:, 1:]
    assert np.diag(found) == pytest.approx([7, 10, 8, 4, 3])
    assert found.sum() == pytest.approx(40)
    assert found[0, 1] == found[0, 2] + 1 == pytest.approx(4 / 3)


def test_alpha_of_two_observers_without_missing_data() -> None:
    # The same report, A: binary data of two observers on ten units.
    meg = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    owen = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    assert krippendorff_alpha(np.stack([meg, owen], axis=1)) == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_against_scikit_learn(seed: int) -> None:
    first, second = np.random.default_rng(seed).integers(0, 3, size=(2, 60))
    second = np.where(np.arange(60) % 2, first, second)
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    hidden = np.where(np.arange(60) < 10, MISSING, first)
    assert cohen_kappa(hidden, second) == pytest.approx(cohen_kappa_score(first[10:], second[10:]))


def test_kappa_of_a_two_by_two_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: p_o = .7, p_e = .5 · .6 + .5 · .4 = .5.
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_perfect_agreement_is_one_and_no_variation_is_undefined() -> None:
    ratings = np.array([[0, 0], [1, 1], [2, 2]])
    assert krippendorff_alpha(ratings) == 1.0
    assert cohen_kappa(ratings[:, 0], ratings[:, 1]) == 1.0
    assert math.isnan(krippendorff_alpha(np.zeros((4, 2), dtype=np.int64)))
    assert math.isnan(krippendorff_alpha(np.array([[0, MISSING], [MISSING, 1]])))
    assert math.isnan(cohen_kappa(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)))


def test_chance_is_zero() -> None:
    ratings = np.random.default_rng(0).integers(0, 2, size=(40_000, 2))
    # The standard error is about 1 / sqrt(40 000) = .005.
    assert abs(krippendorff_alpha(ratings)) < 0.03


def test_the_interval_covers_as_often_as_it_says() -> None:
    truth = np.random.default_rng(1)
    agrees = 0.8
    covered, rounds = 0, 120
    for n in range(rounds):
        first = truth.integers(0, 2, size=150)
        second = np.where(truth.random(150) < agrees, first, 1 - first)
        found = with_interval(
            krippendorff_alpha, np.stack([first, second], axis=1), seed=n, draws=200
        )
        # Symmetric raters: κ and α tend to 2 p_o - 1.
        covered += found.lower <= 2 * agrees - 1 <= found.upper
    # Binomial(120, .95): fewer than 103 has probability below 1e-4.
    assert covered >= 103


def test_an_interval_without_units_is_undefined() -> None:
    found = with_interval(krippendorff_alpha, np.full((3, 2), MISSING), seed=0)
    assert found.units == 0
    assert math.isnan(found.value)
    assert math.isnan(found.lower)
