"""Coverage and risk over many draws, inside the binomial bounds of what is promised.

Each check allows for chance at 1e-4, one-sided or split over both sides; seeds are fixed.
"""

import numpy as np
import pytest
from scipy.stats import betabinom, binom

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.candidates import candidate
from moderation.calibration.conformal import METHODS
from moderation.calibration.exchangeability import Kept, excess_p, judge_promise, shortfall_p
from moderation.calibration.fitting import fit_calibrator
from moderation.calibration.mondrian import fit_cells
from moderation.calibration.risk_control import (
    allow_bound,
    enforce_bound,
    first_beyond,
    risk_sample,
)
from tests.unit.calibration.items import digits_and_labels
from tests.unit.calibration.made import ORIGIN, labelled_items

CHANCE = 1e-4
DRAWS = 2000


def require_between(hits: int, trials: int, low: float, high: float) -> None:
    """The rate of `hits` is compatible with a true rate in [low, high]."""
    assert hits >= binom.ppf(CHANCE / 2, trials, low)
    assert hits <= binom.ppf(1 - CHANCE / 2, trials, high)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
@pytest.mark.parametrize(("items", "coverage"), [(19, 0.9), (60, 0.8)])
def test_intervals_cover_one_further_item_as_often_as_they_say(method, items, coverage) -> None:
    """In [coverage, coverage + 1 / (n + 1)]: the exact band without ties (Lei et al. 2018)."""
    hits = 0
    digit, _, y = digits_and_labels(DRAWS * (items + 1), seed=10)
    # Genuine items all have y = 9: a little noise takes the ties away.
    y = np.clip(y - np.random.default_rng(11).uniform(0, 1e-3, y.size), 0, 9)
    residual = method.nonconformity(digit, y, coverage)
    for draw in range(DRAWS):
        rows = slice(draw * (items + 1), (draw + 1) * (items + 1))
        cells = fit_cells(residual[rows][:-1], [""] * items, coverage)
        low, high = method.interval(digit[rows][-1:], cells.quantiles([""]), coverage)
        hits += bool(low[0] <= y[rows][-1] <= high[0])
    require_between(hits, DRAWS, coverage, coverage + 1 / (items + 1))


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_mondrian_cells_cover_each_group(method) -> None:
    """A judge that is far worse at sound: the marginal cell would leave sound uncovered."""
    coverage, sizes = 0.8, {"audio": 20, "image": 60}
    hits = dict.fromkeys(sizes, 0)
    marginal_hits = dict.fromkeys(sizes, 0)
    skill = {"audio": -3.0, "image": 5.0}
    made = {
        name: digits_and_labels(DRAWS * (size + 1), seed=20 + k, skill=skill[name])
        for k, (name, size) in enumerate(sizes.items())
    }
    noise = np.random.default_rng(22)
    residuals, labels = {}, {}
    for name, (digit, _, y) in made.items():
        labels[name] = np.clip(y - noise.uniform(0, 1e-3, y.size), 0, 9)
        residuals[name] = method.nonconformity(digit, labels[name], coverage)
    groups = [name for name, size in sizes.items() for _ in range(size)]
    for draw in range(DRAWS):
        fitted = np.concatenate(
            [residuals[n][draw * (s + 1) : (draw + 1) * (s + 1) - 1] for n, s in sizes.items()]
        )
        cells = fit_cells(fitted, groups, coverage)
        for name, size in sizes.items():
            last = (draw + 1) * (size + 1) - 1
            digit, y = made[name][0][last : last + 1], labels[name][last]
            low, high = method.interval(digit, cells.quantiles([name]), coverage)
            hits[name] += bool(low[0] <= y <= high[0])
            low, high = method.interval(digit, cells.quantiles([None]), coverage)
            marginal_hits[name] += bool(low[0] <= y <= high[0])
    for name, size in sizes.items():
        require_between(hits[name], DRAWS, coverage, coverage + 1 / (size + 1))
    assert marginal_hits["audio"] < binom.ppf(CHANCE, DRAWS, coverage)


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.3])
def test_both_routes_keep_their_risk_on_average(alpha: float) -> None:
    """E[share of errors] in [alpha - 1 / (n + 1), alpha] without ties (Angelopoulos 2022)."""
    rng = np.random.default_rng(30)
    items, manipulated = 200, 100
    truth = np.arange(items) < manipulated
    allowed = enforced = 0
    for _ in range(DRAWS):
        # A badly calibrated map: only its order matters.
        p = 1 / (1 + np.exp(-3 * rng.normal(truth - 0.2, 1.0)))
        sample = risk_sample(p, truth)
        next_manipulated, next_genuine = 1 / (1 + np.exp(-3 * rng.normal([0.8, -0.2], 1.0)))
        allow, enforce = allow_bound(sample, alpha), enforce_bound(sample, alpha)
        allowed += allow is not None and next_manipulated <= allow
        enforced += enforce is not None and next_genuine >= enforce
    for errors in (allowed, enforced):
        require_between(errors, DRAWS, max(0.0, alpha - 1 / 101), alpha)


def test_realised_risk_spreads_as_order_statistics_do() -> None:
    """Given one calibration set, errors among m further items are beta-binomial (Vovk 2012)."""
    rng = np.random.default_rng(31)
    alpha, items, further = 0.1, 99, 50
    rank = int(alpha * (items + 1)) - 1
    counts = np.zeros(further + 1)
    for _ in range(DRAWS):
        bound = allow_bound(risk_sample(rng.random(items), np.ones(items, dtype=bool)), alpha)
        counts[(rng.random(further) <= bound).sum()] += 1
    expected = betabinom.pmf(np.arange(further + 1), further, rank + 1, items - rank)
    likely = expected * DRAWS > 20
    gap = counts[likely] - DRAWS * expected[likely]
    chi_square = (gap**2 / (DRAWS * expected[likely])).sum()
    assert chi_square < 60  # P < 1e-6 at about 13 degrees of freedom


def test_weighted_risk_control_holds_for_items_labelled_by_propensity() -> None:
    """Suspicious items are labelled more often: weights 1 / propensity undo it."""
    rng = np.random.default_rng(32)
    alpha, draws = 0.2, 1000
    weighted = plain = 0
    for _ in range(draws):
        p = rng.random(400)
        propensity = np.where(p < 0.5, 0.1, 0.5)
        seen = rng.random(400) < propensity
        truth = np.ones(int(seen.sum()), dtype=bool)
        bound = allow_bound(risk_sample(p[seen], truth, 1 / propensity[seen]), alpha)
        biased = allow_bound(risk_sample(p[seen], truth), alpha)
        following = rng.random()
        weighted += bound is not None and following <= bound
        plain += biased is not None and following <= biased
    assert weighted <= binom.ppf(1 - CHANCE, draws, alpha)
    assert plain > binom.ppf(1 - CHANCE, draws, alpha)


@pytest.mark.parametrize("name", ["digits", "temperature"])
def test_the_whole_fit_keeps_its_risk_for_maps_that_do_not_keep_the_order(name: str) -> None:
    """The half that bounds the risk had no say in the map; mean risk against its own spread."""
    alpha, risks = 0.1, []
    for draw in range(30):
        items = labelled_items(160, 100 + draw, sources=40)
        calibrator = FittedCalibrator.of(
            fit_calibrator(items, [candidate(name)], ORIGIN, coverage=0.9, served="cqr", seed=draw)
        )
        bounds = calibrator.route_bounds(false_allow_max=alpha, false_enforce_max=None)
        digit, truth, _ = digits_and_labels(400, 10_000 + draw)
        p = calibrator.method.probability(digit[truth])
        risks.append(0.0 if bounds.allow_below is None else float((p <= bounds.allow_below).mean()))
    error = np.std(risks, ddof=1) / np.sqrt(len(risks))
    assert np.mean(risks) <= alpha + 4 * error
    assert np.mean(risks) > 0.3 * alpha


def test_exchangeability_is_called_broken_no_more_often_than_it_may() -> None:
    rng = np.random.default_rng(40)
    alpha, items, trials = 0.1, 59, 1500
    rank = first_beyond(np.ones(items), alpha) + 1
    alarms = shortfalls = 0
    for _ in range(trials):
        calibration, further = rng.random(items), rng.random(80)
        bound = allow_bound(risk_sample(calibration, np.ones(items, dtype=bool)), alpha)
        alarms += excess_p(int((further <= bound).sum()), 80, rank, items) < 0.05
        cell = fit_cells(calibration, [""] * items, 0.8).everything
        covered = int((further <= cell.quantile).sum())
        shortfalls += shortfall_p(covered, 80, 0.8, items) < 0.05
    for count in (alarms, shortfalls):
        assert 0.01 * trials < count <= binom.ppf(1 - CHANCE, trials, 0.05)


def test_a_shift_is_called_broken() -> None:
    rng = np.random.default_rng(41)
    rank = first_beyond(np.ones(99), 0.1) + 1
    bound = allow_bound(risk_sample(rng.random(99), np.ones(99, dtype=bool)), 0.1)
    shifted = rng.random(200) ** 2.5
    p = excess_p(int((shifted <= bound).sum()), 200, rank, 99)
    assert judge_promise(0.1, p) is Kept.BROKEN
    assert judge_promise(0.1, 0.3) is Kept.WITHIN
    assert judge_promise(-0.1, p) is Kept.HELD
