"""Conformal quantiles, intervals and cells against definitions and exact enumeration."""

import math

import numpy as np
import pytest

from moderation.calibration.conformal import (
    METHODS,
    AbsoluteResidual,
    QuantileResidual,
    conformal_quantile,
    items_min,
)
from moderation.calibration.mondrian import fit_cells
from tests.unit.calibration.items import digits_and_labels


@pytest.mark.parametrize(("coverage", "items"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_fewest_items_with_a_finite_quantile(coverage: float, items: int) -> None:
    assert items_min(coverage) == items
    assert math.isfinite(conformal_quantile(np.arange(items, dtype=float), coverage))
    assert conformal_quantile(np.arange(items - 1.0), coverage) == math.inf


def test_the_quantile_is_the_ranked_one() -> None:
    rng = np.random.default_rng(0)
    for n in (9, 10, 57, 200):
        residual = rng.exponential(size=n)
        rank = math.ceil((n + 1) * 0.9)
        expected = np.sort(residual)[rank - 1]
        assert conformal_quantile(residual, 0.9) == expected
        assert conformal_quantile(residual, 0.9, np.full(n, 3.0)) == expected


def test_a_weighted_quantile_is_that_of_repeated_items_or_wider() -> None:
    rng = np.random.default_rng(1)
    residual, times = rng.exponential(size=40), rng.integers(1, 5, 40)
    weighted = conformal_quantile(residual, 0.8, times.astype(float))
    repeated = conformal_quantile(np.repeat(residual, times), 0.8)
    assert weighted >= repeated
    order = np.argsort(residual)
    share = np.cumsum(times[order]) / (times.sum() + times.max())
    assert weighted == residual[order][np.flatnonzero(share >= 0.8)[0]]


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_an_interval_holds_exactly_the_labels_within_its_quantile(method) -> None:
    digit, _, _ = digits_and_labels(200, seed=2)
    for quantile in (0.3, 1.0, 2.5):
        low, high = method.interval(digit, np.full(200, quantile), 0.8)
        for y in np.linspace(0, 9, 37):
            residual = method.nonconformity(digit, np.full(200, y), 0.8)
            inside = (low <= y) & (y <= high)
            clear = np.abs(residual - quantile) > 1e-9
            assert np.array_equal((residual <= quantile)[clear], inside[clear])


def test_a_negative_quantile_may_turn_an_interval_into_a_point() -> None:
    low, high = QuantileResidual().interval(np.eye(10)[[5]], np.array([-2.0]), 0.8)
    assert low[0] == high[0] == pytest.approx(5.0)


def test_absolute_residuals_centre_on_the_score() -> None:
    low, high = AbsoluteResidual().interval(np.eye(10)[[5, 9]], np.array([1.5, 1.5]), 0.9)
    assert low.tolist() == [3.5, 7.5]
    assert high.tolist() == [6.5, 9.0]


def test_cells_fall_back_on_everything() -> None:
    rng = np.random.default_rng(3)
    groups = ["audio"] * 50 + ["image"] * 9 + ["video"] * 8 + [""] * 3
    residual = rng.exponential(size=70) * np.repeat([1.0, 3.0, 2.0, 2.0], [50, 9, 8, 3])
    cells = fit_cells(residual, groups, 0.9)
    assert set(cells.by_group) == {"audio", "image"}
    assert cells.by_group["image"].quantile == residual[50:59].max()
    assert cells.by_group["image"].items == 9
    assert cells.everything.quantile == conformal_quantile(residual, 0.9)
    found = cells.quantiles(["audio", "video", None, "unheard of"])
    assert found[0] == cells.by_group["audio"].quantile
    assert set(found[1:]) == {cells.everything.quantile}
    assert [cells.group(name) for name in ("audio", "video", None)] == ["audio", "all", "all"]


def test_with_too_few_items_only_the_whole_scale_is_sure() -> None:
    cells = fit_cells(np.array([0.1, 0.2]), ["audio", "audio"], 0.9)
    low, high = AbsoluteResidual().interval(np.eye(10)[[4]], cells.quantiles(["audio"]), 0.9)
    assert (low[0], high[0]) == (0.0, 9.0)
