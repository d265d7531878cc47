"""Inversion against the distribution it draws from."""

import scipy.stats
import torch

from rl.sampling import sample


def test_the_share_of_each_token_is_its_probability() -> None:
    torch.manual_seed(1)
    logits_V = torch.randn(20) * 2
    logits_V[[0, 7, 19]] = -torch.inf
    drawn = torch.tensor(sample(range(20000), logits_V.expand(20000, -1)))
    counts = drawn.bincount(minlength=20)
    possible = logits_V.isfinite()
    assert counts[~possible].sum() == 0
    expected = logits_V.softmax(-1)[possible] * 20000
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    assert statistic < scipy.stats.chi2.ppf(0.999, int(possible.sum()) - 1)


def test_rows_are_drawn_from_their_own_logits_and_repeat_with_the_seed() -> None:
    logits_BV = torch.full((3, 50_000), -20.0)
    logits_BV[range(3), [5, 40_000, 49_999]] = 40.0
    assert sample(range(3), logits_BV) == [5, 40_000, 49_999]
    flat = torch.zeros(64, 1000)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(sample(range(64), flat))
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) > 50
