"""Every metric against scikit-learn, SciPy or a formula written out, point by point and drawn."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from moderation.calibration import metrics
from moderation.calibration.draws import Counts, Draws
from moderation.calibration.estimate import two_sided_p
from rl.evaluation import graded, likelihood_ratio, roc
from rl.evaluation.items import ScoredItems
from rl.evaluation.measurement import (
    METRICS,
    all_measures,
    draws_of,
    measure,
    paired_differences,
)
from rl.evaluation.selective import risk_coverage
from tests.unit.evaluation.cases import resampled, scored_items


def naive(items: ScoredItems, i: Counts) -> dict[str, float]:
    """The metrics of the items `i`, repeats and all, by other code than ours."""
    score, truth, y = items.score_N[i], items.is_manipulated_N[i], items.y_N[i]
    digit, p = items.digit_NK[i], items.probability_N[i]
    fpr, tpr, _ = sk.roc_curve(truth, -score, drop_intermediate=False)
    gap = np.abs(fpr - (1 - tpr))
    # The official script looks from the lowest threshold up and takes the first of equals.
    best = np.flatnonzero(gap <= gap.min() + 1e-12)[0]
    ratio = np.log(0.6 / 0.4) - np.log(p / (1 - p))
    flagged = ratio < -np.log(1.9)
    miss, accepted = flagged[~truth].mean(), (~flagged[truth]).mean()
    bins = np.minimum((p * 15).astype(int), 14)
    by_p = np.argsort(p, kind="stable")
    cuts = [int(np.floor(k * p.size / 15 + 1e-9)) for k in range(16)]
    masses = [by_p[a:b] for a, b in itertools.pairwise(cuts)]
    spread = np.sqrt((digit * (np.arange(10) - (digit @ np.arange(10))[:, None]) ** 2).sum(1))
    levels = np.bincount(np.rint(score).astype(int), minlength=10) / score.size
    label_cdf = np.array([[np.clip(k + 1 - value, 0, 1) for k in range(9)] for value in y])
    return {
        "auc": sk.roc_auc_score(truth, -score),
        "partial_auc_10": sk.roc_auc_score(truth, -score, max_fpr=0.1),
        "eer": (fpr[best] + 1 - tpr[best]) / 2,
        "average_precision": sk.average_precision_score(truth, -score),
        "tpr_at_fpr_1": tpr[fpr <= 0.01 + 1e-12].max(),
        "tpr_at_fpr_01": tpr[fpr <= 0.001 + 1e-12].max(),
        "min_dcf": np.min(0.95 * fpr + 0.5 * (1 - tpr)) / 0.5,
        "brier": sk.brier_score_loss(truth, p),
        "nll": sk.log_loss(truth, p),
        "ece": sum(
            (bins == b).mean() * abs(p[bins == b].mean() - truth[bins == b].mean())
            for b in np.unique(bins)
        ),
        "adaptive_ece": sum(
            m.size / p.size * abs(p[m].mean() - truth[m].mean()) for m in masses if m.size
        ),
        "cllr": (
            np.log2(1 + np.exp(-ratio[~truth])).mean() + np.log2(1 + np.exp(ratio[truth])).mean()
        )
        / 2,
        "act_dcf": (0.95 * miss + 0.5 * accepted) / 0.5,
        "pearson": stats.pearsonr(score, y).statistic,
        "spearman": stats.spearmanr(score, y).statistic,
        "kendall_tau_b": stats.kendalltau(score, y).statistic,
        "mae": sk.mean_absolute_error(y, score),
        "crps": ((np.cumsum(digit, axis=1)[:, :9] - label_cdf) ** 2).sum(1).mean(),
        "wasserstein": stats.wasserstein_distance(score, y),
        "scale_use": np.exp(stats.entropy(levels)) / 10,
        "aurc_error": naive_aurc(np.abs(score - y), -spread),
        "aurc_decision": naive_aurc(((p >= 0.5) != truth).astype(float), np.abs(p - 0.5)),
        "review_load_miss_5": naive_load(score, truth, 0.05),
        "review_load_miss_1": naive_load(score, truth, 0.01),
    }


def naive_aurc(loss: np.ndarray, confidence: np.ndarray) -> float:
    return float(np.mean([loss[confidence >= least].mean() for least in confidence]))


def naive_load(score: np.ndarray, truth: np.ndarray, miss: float) -> float:
    loads = [
        np.mean(score <= t) for t in np.unique(score) if np.mean(score[truth] > t) <= miss + 1e-12
    ]
    return float(min(loads))


def test_every_metric_agrees_with_other_code_to_1e_12() -> None:
    items = scored_items()
    value = measure(items, draws_of(items, draws=2)).value
    expected = naive(items, np.arange(len(items)))
    assert set(value) == set(expected) == set(METRICS)
    for name, figure in expected.items():
        assert value[name] == pytest.approx(figure, abs=1e-12), name


def test_a_draw_equals_the_naive_loop_over_resampled_items() -> None:
    items = scored_items(200, 25, seed=1)
    draws = draws_of(items, draws=12, seed=3)
    ours = all_measures(items, draws)
    for row in range(draws.draws):
        expected = naive(items, resampled(draws, row))
        for name, figure in expected.items():
            assert ours[name][row] == pytest.approx(figure, abs=1e-11), (name, row)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    items = scored_items(120, 10)
    draws = draws_of(items, draws=30)
    whole = all_measures(items, draws)
    monkeypatch.setattr("moderation.calibration.draws.BLOCK_NUMBERS", 500)
    for name, value_D in all_measures(items, draws).items():
        np.testing.assert_allclose(value_D, whole[name], rtol=1e-13, err_msg=name)


def official_eer(bona_fide: np.ndarray, spoofed: np.ndarray) -> float:
    """The definition of the ASVspoof 5 package for scores without ties, item by item."""
    both = np.concatenate([bona_fide, spoofed])
    is_bona_fide = np.arange(both.size) < bona_fide.size
    is_bona_fide = is_bona_fide[np.argsort(both, kind="stable")]
    rejected = np.concatenate([[0], np.cumsum(is_bona_fide)]) / bona_fide.size
    accepted = 1 - np.concatenate([[0], np.cumsum(~is_bona_fide)]) / spoofed.size
    least = int(np.argmin(np.abs(rejected - accepted)))
    return float((rejected[least] + accepted[least]) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_eer_is_that_of_asvspoof(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bona_fide, spoofed = rng.uniform(2, 9, 37), rng.uniform(0, 6, 53)
    score = np.concatenate([bona_fide, spoofed])
    curve = roc.roc(score, np.arange(90) >= 37, Draws.once(90))
    assert roc.equal_error_rate(curve)[0] == pytest.approx(official_eer(bona_fide, spoofed))


def test_by_hand() -> None:
    # Genuine 9, 6, 4; manipulated 5, 1. Pairs in order: 5 of 6.
    score = np.array([9.0, 6.0, 4.0, 5.0, 1.0])
    truth = np.array([False, False, False, True, True])
    curve = roc.roc(score, truth, Draws.once(5))
    assert roc.auc(curve)[0] == pytest.approx(5 / 6)
    # At t = 4 one of three genuine and one of two forged is flagged: (1/3 + 1/2) / 2.
    assert roc.equal_error_rate(curve)[0] == pytest.approx(5 / 12)
    # Flagged in order forged, genuine, forged: (1 + 2/3) / 2.
    assert roc.average_precision(curve)[0] == pytest.approx(5 / 6)
    assert roc.true_positive_rate_at(curve, 0.01)[0] == 0.5
    # Both forgeries are caught when three of five are reviewed.
    assert roc.review_load(curve, 0.0)[0] == pytest.approx(3 / 5)
    p = np.array([0.0, 0.2, 0.4, 0.7, 0.9])
    assert metrics.brier(p, truth, Draws.once(5))[0] == pytest.approx(0.3 / 5)
    useless = likelihood_ratio.log_likelihood_ratio(np.full(5, 0.3), 0.3)
    assert likelihood_ratio.cllr(useless, truth, Draws.once(5))[0] == pytest.approx(1.0)


def test_risk_and_coverage_by_hand() -> None:
    loss, confidence = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.1, 0.8])
    curve = risk_coverage(loss, confidence, Draws.once(4))
    np.testing.assert_allclose(curve.share_DM, [[0.25, 0.75, 1.0]])
    np.testing.assert_allclose(curve.risk_DM, [[0.0, 1 / 3, 0.5]])
    assert curve.area_D[0] == pytest.approx(0.5 / 3 + 0.25 * 0.5)


def test_one_class_or_a_constant_has_no_value() -> None:
    curve = roc.roc(np.arange(3.0), np.ones(3, dtype=bool), Draws.once(3))
    for metric in (roc.auc, roc.partial_auc, roc.equal_error_rate, roc.average_precision):
        assert np.isnan(metric(curve)[0]), metric
    assert np.isnan(roc.true_positive_rate_at(curve, 0.1)[0])
    for correlation in (graded.pearson, graded.spearman, graded.kendall_tau_b):
        assert np.isnan(correlation(np.full(3, 0.1), np.arange(3.0), Draws.once(3))[0])


def test_crps_of_a_whole_label_is_the_continuous_score() -> None:
    rng = np.random.default_rng(0)
    digit, y = rng.dirichlet(np.ones(10), 20), rng.integers(0, 10, 20).astype(float)
    # E|X - y| - E|X - X'| / 2 (Gneiting and Raftery 2007, eq. 21).
    distance = np.abs(np.arange(10)[:, None] - np.arange(10))
    pairs = np.einsum("nj,nk,jk->n", digit, digit, distance)
    expected = (digit * np.abs(np.arange(10) - y[:, None])).sum(1) - pairs / 2
    np.testing.assert_allclose(graded.ranked_probability_scores(digit, y), expected, atol=1e-12)


def test_the_label_mixture_has_mean_y_and_no_better_forecast_than_itself() -> None:
    y = np.array([0.0, 2.3, 8.5, 9.0])
    mass = np.diff(graded.two_point_cdf(y), axis=1, prepend=0)
    np.testing.assert_allclose(mass @ np.arange(10), y)
    np.testing.assert_allclose(graded.ranked_probability_scores(mass, y), 0, atol=1e-15)


def test_pit_is_uniform_for_a_calibrated_judge_and_only_then() -> None:
    rng = np.random.default_rng(0)
    digit = rng.dirichlet(np.ones(10), 4000)
    y = np.array([rng.choice(10, p=row) for row in digit], dtype=float)
    assert stats.kstest(graded.randomised_pit(digit, y), "uniform").pvalue > 0.01
    too_sure = digit**3 / (digit**3).sum(axis=1, keepdims=True)
    assert stats.kstest(graded.randomised_pit(too_sure, y), "uniform").pvalue < 1e-6


def test_scale_use_of_one_level_and_of_all() -> None:
    assert graded.scale_use(np.full(7, 3.2), Draws.once(7))[0] == pytest.approx(0.1)
    assert graded.scale_use(np.arange(10.0), Draws.once(10))[0] == pytest.approx(1.0)


def test_intervals_are_over_sources_not_rows() -> None:
    rng = np.random.default_rng(0)
    by_source = rng.normal(5, 1, size=10).clip(0, 9)
    score = np.repeat(by_source, 100)
    one = ScoredItems(score, np.zeros(1000, bool), np.zeros(1000), np.repeat(np.arange(10), 100))
    clustered = measure(one, draws_of(one)).estimate("mae")
    loose = ScoredItems(score, np.zeros(1000, bool), np.zeros(1000), np.arange(1000))
    rows = measure(loose, draws_of(loose)).estimate("mae")
    assert clustered.value == pytest.approx(score.mean())
    assert clustered.high - clustered.low > 5 * (rows.high - rows.low)
    standard_error = by_source.std() / np.sqrt(10)
    assert (clustered.high - clustered.low) / 3.92 == pytest.approx(standard_error, rel=0.25)


def test_paired_differences_see_what_unpaired_intervals_hide() -> None:
    rng = np.random.default_rng(0)
    sources = np.arange(200).astype(str).astype(object)
    truth = rng.random(200) < 0.5
    y = np.where(truth, 9 * rng.random(200), 9.0)
    score = np.clip(y + rng.normal(0, 2, 200), 0.5, 9)
    draws = draws_of(ScoredItems(score, truth, y, sources))
    better = measure(ScoredItems(score, truth, y, sources), draws)
    worse_score = np.where(y < score, score, score - 0.4)
    worse = measure(ScoredItems(worse_score, truth, y, sources), draws)
    gap = paired_differences(worse, better)["mae"]
    assert gap.value == pytest.approx(0.4 * np.mean(y >= score))
    assert 0 < gap.low < gap.value < gap.high
    assert gap.p < 0.01
    overlap = better.estimate("mae").high > worse.estimate("mae").low
    assert overlap
    same = paired_differences(better, better)["auc"]
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_p_counts_draws_on_either_side() -> None:
    assert two_sided_p(np.array([1.0] * 98 + [-1.0])) == pytest.approx(2 * 2 / 100)
    assert two_sided_p(np.ones(999)) == pytest.approx(2 / 1000)


def test_one_source_has_no_interval() -> None:
    items = scored_items(50, 1)
    found = measure(items, draws_of(items, draws=20)).estimate("auc")
    assert np.isfinite(found.value)
    assert np.isnan(found.low)


@pytest.mark.parametrize(
    ("field", "value"),
    [("score_N", np.array([9.5])), ("y_N", np.array([-1.0])), ("is_manipulated_N", np.ones(2))],
)
def test_values_off_the_scale_are_refused(field: str, value: np.ndarray) -> None:
    good = {
        "score_N": np.array([1.0]),
        "is_manipulated_N": np.array([True]),
        "y_N": np.array([1.0]),
        "source_N": np.array(["a"], dtype=object),
    }
    ScoredItems(**good)
    with pytest.raises(ValueError, match=r"scale|shape"):
        ScoredItems(**{**good, field: value})
