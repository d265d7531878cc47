"""Figures of a batch of rollouts."""

import math

import pytest
import torch

from moderation.types import LEVELS_K
from rl.rollout_metrics import rollout_metrics
from rl.rollouts import Rollouts


def of_scores(scores: list[list[float | None]], y: float = 4.0) -> dict[str, float]:
    """Figures of groups with these expected scores; None: the rollout has no score."""
    flat = [one for group in scores for one in group]
    p_BK = torch.full((len(flat), LEVELS_K), 1 / LEVELS_K)
    for row, score in zip(p_BK, flat, strict=True):
        if score is not None:
            below = math.floor(score)
            row.zero_()
            row[below], row[below + 1] = below + 1 - score, score - below
    rollouts = Rollouts(
        log_p_BK=p_BK.log(),
        log_mass_B=torch.zeros(len(flat)),
        y_B=torch.full((len(flat),), y),
        target_BK=torch.full((len(flat), LEVELS_K), 1 / LEVELS_K),
        is_scored_B=torch.tensor([one is not None for one in flat]),
        level_B=torch.zeros(len(flat), dtype=torch.long),
        overlap_B=torch.zeros(len(flat)),
    )
    reward_NG = torch.zeros(len(scores), len(scores[0]))
    return rollout_metrics(rollouts, reward_NG, reward_NG, torch.ones(len(flat)))


def test_the_spread_is_that_within_groups() -> None:
    # Deviations of 1 and 1 on one degree of freedom, of 1, 0 and 1 on two.
    figures = of_scores([[2.0, 4.0, None], [7.0, 6.0, 5.0]])
    assert figures["real/score_spread"] == pytest.approx(math.sqrt((2 + 2) / (1 + 2)))


def test_groups_of_one_score_have_no_spread() -> None:
    assert math.isnan(of_scores([[2.0, None], [None, None]])["real/score_spread"])


def test_the_spread_is_what_an_average_saves() -> None:
    scores = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)) * 8
    figures = of_scores(scores.tolist())
    saved = figures["real/squared_error"] - float((scores.mean(1) - 4).square().mean())
    # The mean of two keeps half of the variance.
    assert saved == pytest.approx(figures["real/score_spread"] ** 2 / 2, rel=1e-4)
