"""Error estimates against closed forms, scipy and simulated reviewers."""

import numpy as np
import pytest
from scipy.integrate import quad

from moderation.review.agreement import MISSING
from moderation.review.reviewer_error import BetaPrior, dawid_skene, estimate_error


def test_the_posterior_mean_and_interval_by_integration() -> None:
    prior = BetaPrior(2.0, 6.0)
    found = estimate_error(3, 20, prior)
    assert found.mean == pytest.approx((2 + 3) / (8 + 20))

    def density(p: float) -> float:
        return p ** (2 + 3 - 1) * (1 - p) ** (6 + 17 - 1)

    whole = quad(density, 0, 1)[0]
    assert quad(density, found.lower, found.upper)[0] / whole == pytest.approx(0.95, abs=1e-6)
    assert quad(density, 0, found.lower)[0] / whole == pytest.approx(0.025, abs=1e-6)


def test_evidence_outweighs_the_prior_and_narrows() -> None:
    prior = BetaPrior()
    assert estimate_error(0, 0, prior).mean == 0.1
    few, many = estimate_error(1, 4, prior), estimate_error(250, 1000, prior)
    assert abs(many.mean - 0.25) < 0.002 < abs(few.mean - 0.25)
    assert many.upper - many.lower < few.upper - few.lower


@pytest.mark.parametrize(("errors", "checks"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(errors: int, checks: int) -> None:
    with pytest.raises(ValueError, match="checks"):
        estimate_error(errors, checks, BetaPrior())


def test_dawid_and_skene_find_the_reviewers_of_a_simulation() -> None:
    generator = np.random.default_rng(0)
    truth = (generator.random(3000) < 0.3).astype(np.int64)
    errors = np.array([0.05, 0.15, 0.30, 0.10])
    wrong = generator.random((3000, 4)) < errors
    ratings = np.where(wrong, 1 - truth[:, None], truth[:, None])
    ratings[generator.random((3000, 4)) < 0.3] = MISSING
    ratings = ratings[(ratings != MISSING).any(axis=1)]
    found = dawid_skene(ratings, categories=2)
    # About 1 400 ratings of the commoner kind a reviewer: a standard error of at most .013.
    assert np.abs(found.confusion_RCC[:, 0, 1] - errors).max() < 0.05
    assert abs(found.prevalence_C[1] - 0.3) < 0.04
    assert np.diff(found.loglikelihoods).min() > -1e-6


def test_dawid_and_skene_on_one_unit_by_enumeration() -> None:
    ratings = np.array([[0, 0], [1, 1], [0, 1], [0, 0]])
    found = dawid_skene(ratings, categories=2, iterations=1)
    start = np.array([[1, 0], [0, 1], [0.5, 0.5], [1, 0]])
    prevalence = start.mean(axis=0)
    confusion = np.array(
        [
            [
                [start[ratings[:, r] == k, c].sum() / start[:, c].sum() for k in (0, 1)]
                for c in (0, 1)
            ]
            for r in (0, 1)
        ]
    )
    joint = [prevalence[c] * confusion[0, c, 0] * confusion[1, c, 1] for c in (0, 1)]
    assert found.truth_UC[2] == pytest.approx(np.array(joint) / sum(joint))
    with pytest.raises(ValueError, match="without a rating"):
        dawid_skene(np.array([[MISSING, MISSING]]), categories=2)
