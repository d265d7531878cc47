import numpy as np
import pytest

from rl.metrics import auc, bootstrap, spearman


def test_auc_is_the_share_of_ordered_pairs() -> None:
    score = np.array([9.0, 6.0, 5.0, 1.0, 6.0])
    manipulated = np.array([False, False, True, True, True])
    pairs = [(g > m) + (g == m) / 2 for g in score[~manipulated] for m in score[manipulated]]
    assert auc(score, manipulated) == pytest.approx(np.mean(pairs))


def test_one_class_or_a_constant_has_no_value() -> None:
    assert np.isnan(auc(np.ones(3), np.ones(3, dtype=bool)))
    assert np.isnan(spearman(np.ones(3), np.arange(3.0)))


def test_intervals_are_over_sources_not_rows() -> None:
    generator = np.random.default_rng(0)
    by_source = generator.normal(size=10)
    values = np.repeat(by_source, 100)
    sources = [f"s{k}" for k in range(10) for _ in range(100)]
    clustered = bootstrap(lambda i: float(values[i].mean()), sources, draws=400)
    rows = bootstrap(lambda i: float(values[i].mean()), list(map(str, range(1000))), draws=400)
    assert clustered.value == pytest.approx(values.mean())
    assert clustered.high - clustered.low > 5 * (rows.high - rows.low)
    standard_error = by_source.std() / np.sqrt(10)
    assert (clustered.high - clustered.low) / (2 * 1.96) == pytest.approx(standard_error, rel=0.25)
