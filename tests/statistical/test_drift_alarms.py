"""False alarms come at the stated rate, and what has changed is found."""

import numpy as np
import pytest
from scipy import stats

from moderation.calibration import drift
from moderation.calibration.monitor import ReviewedSample, Verdict, monitor

CHANCE = 1e-4


def at_most(alarms: int, trials: int, rate: float) -> None:
    assert alarms <= stats.binom.ppf(1 - CHANCE, trials, rate)


def test_distances_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    one, other = np.round(rng.normal(5, 1, 80), 1), np.round(rng.normal(5.4, 1.2, 120), 1)
    assert drift.kolmogorov_smirnov(one, other) == pytest.approx(
        stats.ks_2samp(one, other).statistic
    )
    assert drift.wasserstein(one, other) == pytest.approx(stats.wasserstein_distance(one, other))
    tested = drift.wasserstein_test(one, other, rng, 99)
    assert tested.value == pytest.approx(drift.wasserstein(one, other))


def test_the_permutation_p_value_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 30), rng.normal(0.3, 1, 40)
    found = drift.wasserstein_test(one, other, rng, 4999).p_value
    expected = stats.permutation_test(
        (one, other), stats.wasserstein_distance, n_resamples=1999, alternative="greater", rng=rng
    ).pvalue
    assert found == pytest.approx(expected, abs=0.04)


def test_the_stability_index_of_equal_shares_is_nought() -> None:
    value = np.arange(1000.0)
    edges = drift.decile_edges(value)
    assert edges.size == 9
    assert drift.population_stability_index(value, value, edges) == 0
    half = value[value < 500]
    p, q = (100.5 / 1005), np.array([100.5 / 505] * 5 + [0.5 / 505] * 5)
    expected = np.sum((q - p) * np.log(q / p))
    assert drift.population_stability_index(value, half, edges) == pytest.approx(expected)


def test_score_drift_raises_false_alarms_at_its_level() -> None:
    rng = np.random.default_rng(2)
    # Rounded: ties must not break the null.
    p = [
        drift.wasserstein_test(
            np.round(rng.beta(2, 1, 60), 1), np.round(rng.beta(2, 1, 40), 1), rng, 99
        ).p_value
        for _ in range(800)
    ]
    for level in (0.01, 0.05, 0.2, 0.5):
        at_most(int((np.array(p) <= level).sum()), 800, level)
    assert np.mean(np.array(p) <= 0.5) > 0.4


def test_calibration_tests_raise_false_alarms_at_their_level() -> None:
    rng = np.random.default_rng(3)
    trials = 300
    found = {"mean": [], "spread": [], "error": []}
    for _ in range(trials):
        p = rng.beta(1.2, 2.5, 300)
        truth, weight = rng.random(300) < p, rng.uniform(1, 4, 300)
        found["mean"].append(drift.mean_test(p, truth, weight).p_value)
        found["spread"].append(drift.spread_test(p, truth, weight).p_value)
        found["error"].append(drift.expected_error_test(p, truth, weight, rng, 39).p_value)
    for values in found.values():
        for level in (0.05, 0.2, 0.5):
            hits = int((np.array(values) <= level).sum())
            # The normal approximation of the first two is a little off in the tails.
            at_most(hits, trials, level * 1.1)
            assert hits >= stats.binom.ppf(CHANCE, trials, level * 0.9)


def test_the_mean_test_is_the_closed_form() -> None:
    p, truth = np.full(100, 0.3), np.arange(100) < 40
    found = drift.mean_test(p, truth, np.ones(100))
    z = (40 - 30) / np.sqrt(100 * 0.3 * 0.7)
    assert found.value == pytest.approx(0.1)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(z))


def test_spiegelhalter_is_the_closed_form() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(200)
    truth = rng.random(200) < p
    top = ((truth - p) * (1 - 2 * p)).sum()
    z = top / np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    assert drift.spread_test(p, truth, np.ones(200)).p_value == pytest.approx(
        2 * stats.norm.sf(abs(z))
    )


def run(shift: float, bias: float, seed: int, labels: int = 300, level: float = 0.05) -> Verdict:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 1, labels)
    sample = ReviewedSample(p, rng.random(labels) < np.clip(p + bias, 0, 1), np.ones(labels))
    reference = np.clip(rng.normal(5, 2, 200), 0, 9)
    recent = np.clip(rng.normal(5 + shift, 2, 200), 0, 9)
    report = monitor(
        reference, recent, sample if labels else None, level=level, generator=rng, resamples=119
    )
    assert (report.verdict is Verdict.HOLDS) or report.reasons
    return report.verdict


def test_the_monitor_as_a_whole_keeps_its_level() -> None:
    verdicts = [run(0.0, 0.0, seed) for seed in range(150)]
    at_most(sum(verdict is not Verdict.HOLDS for verdict in verdicts), 150, 0.05)


def test_the_monitor_finds_what_changed() -> None:
    assert all(run(0.0, 0.2, seed) is Verdict.RECALIBRATE for seed in range(10))
    assert all(run(-2.0, 0.0, seed, labels=0) is Verdict.LABEL for seed in range(10))
    assert all(run(0.0, 0.0, seed, labels=0) is Verdict.HOLDS for seed in range(5))
    # Another mix of items is no harm while probabilities hold.
    held = [run(-2.0, 0.0, seed) for seed in range(20)]
    assert sum(verdict is Verdict.HOLDS for verdict in held) >= 17


def test_the_more_often_labelled_do_not_count_more() -> None:
    """Suspicious items are reviewed ten times as often; the calibrator holds for each p."""
    rng = np.random.default_rng(5)
    p = rng.random(4000)
    truth = rng.random(4000) < p
    propensity = np.where(truth, 0.5, 0.05)  # selective in a way that p does not know
    seen = rng.random(4000) < propensity
    plain = drift.mean_test(p[seen], truth[seen], np.ones(seen.sum()))
    weighted = drift.mean_test(p[seen], truth[seen], 1 / propensity[seen])
    assert plain.p_value < 1e-6
    assert abs(weighted.value) < 0.06


def test_a_level_that_the_resamples_cannot_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="resamples"):
        run(0.0, 0.0, 0, level=0.001)
