"""Bounds of risk against exhaustive search and exact enumeration."""

import itertools
import math

import numpy as np
import pytest

from moderation.calibration.risk_control import (
    allow_bound,
    enforce_bound,
    risk_sample,
    route_bounds,
)


def sample_of(manipulated, genuine, weights=None):
    p = np.array([*manipulated, *genuine], dtype=float)
    truth = np.arange(p.size) < len(manipulated)
    return risk_sample(p, truth, weights)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.3, 0.7])
def test_the_bound_is_the_largest_that_the_theorem_allows(alpha: float) -> None:
    rng = np.random.default_rng(0)
    p = np.round(rng.random(80), 2)  # with ties
    bound = allow_bound(sample_of(p, [0.5]), alpha)

    def controlled(limit: float) -> bool:
        return ((p <= limit).sum() + 1) / (p.size + 1) <= alpha

    if bound is None:
        assert not controlled(math.nextafter(p.min(), 0))
    else:
        assert controlled(bound)
        assert not controlled(math.nextafter(bound, 1))


def test_enforcing_mirrors_allowing() -> None:
    p = np.random.default_rng(1).random(60)
    # Eighths are exact: 1 - p rounds nothing.
    p = np.round(p * 1024) / 1024
    for alpha in (0.02, 0.1, 0.4):
        allow = allow_bound(sample_of(p, [0.5]), alpha)
        enforce = enforce_bound(sample_of([0.5], 1 - p), alpha)
        assert enforce == pytest.approx(1 - allow, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 0.34, 0.5, 0.75])
def test_the_risk_over_all_orders_of_distinct_items_is_at_most_alpha(alpha: float) -> None:
    """Exchangeable means every item is as likely to be the next one: enumerate them all."""
    p = np.array([0.1, 0.25, 0.3, 0.62, 0.7, 0.95])
    errors = []
    for following in range(p.size):
        bound = allow_bound(sample_of(np.delete(p, following), [0.5]), alpha)
        errors.append(bound is not None and p[following] <= bound)
    assert np.mean(errors) == math.floor(alpha * p.size + 1e-9) / p.size <= alpha


def test_the_risk_of_tied_items_is_at_most_alpha() -> None:
    values = (0.2, 0.4)
    for p in itertools.product(values, repeat=5):
        errors = []
        for following in range(5):
            rest = [value for k, value in enumerate(p) if k != following]
            bound = allow_bound(sample_of(rest, [0.5]), 0.4)
            errors.append(bound is not None and p[following] <= bound)
        assert np.mean(errors) <= 0.4


def test_too_few_items_bound_nothing() -> None:
    assert allow_bound(sample_of(np.linspace(0.2, 1, 18), [0.1]), 0.05) is None
    assert allow_bound(sample_of(np.linspace(0.2, 1, 19), [0.1]), 0.05) is not None
    assert enforce_bound(sample_of([0.5], []), 0.05) is None
    assert allow_bound(sample_of(np.zeros(100), [0.5]), 0.05) is None
    assert enforce_bound(sample_of([0.5], np.ones(100)), 0.05) is None


def test_integer_weights_are_repeated_items_or_stricter() -> None:
    rng = np.random.default_rng(2)
    p, times = rng.random(40), rng.integers(1, 4, 40)
    weight = np.append(times, 1).astype(float)
    weighted = allow_bound(sample_of(p, [0.5], weight), 0.2)
    repeated = allow_bound(sample_of(np.repeat(p, times), [0.5]), 0.2)
    assert weighted is not None
    assert repeated is not None
    assert weighted <= repeated
    total, top = times.sum(), times.max()
    assert (times[p <= weighted].sum() + top) / (total + top) <= 0.2
    assert (times[p <= math.nextafter(weighted, 1)].sum() + top) / (total + top) > 0.2


def test_bounds_that_cross_meet_near_a_half() -> None:
    sample = sample_of(np.linspace(0.8, 1, 100), np.linspace(0, 0.2, 100))
    bounds = route_bounds(sample, false_allow_max=0.05, false_enforce_max=0.05)
    assert bounds.allow_below == 0.5
    assert bounds.enforce_above == math.nextafter(0.5, 1)
    skewed = sample_of(np.linspace(0.3, 0.4, 100), np.linspace(0, 0.2, 100))
    bounds = route_bounds(skewed, false_allow_max=0.05, false_enforce_max=0.05)
    assert bounds.allow_below == allow_bound(skewed, 0.05)
    assert bounds.enforce_above > bounds.allow_below


def test_a_closed_route_has_no_bound() -> None:
    sample = sample_of(np.linspace(0.2, 1, 100), np.linspace(0, 0.8, 100))
    bounds = route_bounds(sample, false_allow_max=None, false_enforce_max=0.05)
    assert bounds.allow_below is None
    assert bounds.enforce_above == enforce_bound(sample, 0.05)
    for alpha in (0.0, 1.0, 2.0):
        with pytest.raises(ValueError, match="alpha"):
            allow_bound(sample, alpha)
