"""Figures of a batch of rollouts, for the log."""

import math

import numpy as np
import torch
from scipy.stats import spearmanr

from rl.objective import expected_score, marginal_wasserstein
from rl.rollouts import Rollouts

USABLE_STD_MIN = 1e-6


def rollout_metrics(
    rollouts: Rollouts,
    reward_NG: torch.Tensor,
    advantage_NG: torch.Tensor,
    score_index_B: torch.Tensor,
) -> dict[str, float]:
    """Name -> value, NaN where no rollout has a score.

    A group is usable where its rewards differ: only then does exploration learn from it. The
    squared spread of the scores within groups is the part of the squared error that the choice of
    rationales makes: averaging over all rationales would save so much, no more.
    score_index_B: place of the score token, which is the length of what stands before it.
    """
    scored = rollouts.scored()
    expected_S = expected_score(scored.log_p_BK)
    p_SK = scored.log_p_BK.exp()
    is_usable_N = reward_NG.max(1).values - reward_NG.min(1).values > USABLE_STD_MIN
    lengths_S = score_index_B[rollouts.is_scored_B].float()
    entropy_S = -(p_SK * scored.log_p_BK).sum(-1)
    figures = {
        "real/expected_score": expected_S.mean(),
        "real/squared_error": (expected_S - scored.y_B).square().mean(),
        "real/score_spread": _spread_within(
            expected_score(rollouts.log_p_BK).view_as(reward_NG),
            rollouts.is_scored_B.view_as(reward_NG),
        ),
        "real/digit_mass": scored.log_mass_B.exp().mean(),
        "real/digit_entropy": entropy_S.mean(),
        "real/rationale_length": lengths_S.mean(),
        "real/advantage_spread": advantage_NG.std(correction=0),
        "real/scored_share": rollouts.is_scored_B.float().mean(),
        "real/usable_groups": is_usable_N.float().mean(),
    }
    if len(p_SK):
        figures["real/wasserstein"] = marginal_wasserstein(p_SK, scored.target_BK)
    if not rollouts.overlap_B.isnan().any():
        figures["real/claim_overlap"] = rollouts.overlap_B.mean()
    return {name: float(value) for name, value in figures.items()}


def _spread_within(score_NG: torch.Tensor, is_scored_NG: torch.Tensor) -> torch.Tensor:
    """Standard deviation within groups, pooled over groups of at least two scored rollouts.

    Unbiased: a group counts with the degrees of freedom that its own mean leaves.
    """
    count_N = is_scored_NG.sum(1)
    mean_N = (score_NG * is_scored_NG).sum(1) / count_N.clamp_min(1)
    square_NG = (score_NG - mean_N[:, None]).square() * is_scored_NG
    return (square_NG.sum() / (count_N - 1).clamp_min(0).sum()).sqrt()


class ValidationScores:
    """Collects the scores of an evaluation, one an item: the mean over its rollouts."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._score: list[float] = []
        self._y: list[float] = []
        self._scored_rollouts = self._rollouts = 0

    def add(self, rollouts: Rollouts, rollouts_G: int) -> None:
        """Take in a batch, the rollouts of a group one after the other."""
        is_scored_NG = rollouts.is_scored_B.view(-1, rollouts_G)
        score_NG = expected_score(rollouts.log_p_BK).view(-1, rollouts_G)
        count_N = is_scored_NG.sum(1)
        mean_N = (score_NG * is_scored_NG).sum(1) / count_N.clamp_min(1)
        self._score += mean_N[count_N > 0].tolist()
        self._y += rollouts.y_B.view(-1, rollouts_G)[count_N > 0, 0].tolist()
        self._scored_rollouts += int(count_N.sum())
        self._rollouts += is_scored_NG.numel()

    def metrics(self) -> dict[str, float]:
        """Spearman's correlation, 0 where either side has no order; share of scored rollouts."""
        has_order = len(set(self._score)) > 1 and len(set(self._y)) > 1
        spearman = float(spearmanr(self._score, self._y).statistic) if has_order else 0.0
        share = self._scored_rollouts / self._rollouts if self._rollouts else math.nan
        error = np.abs(np.subtract(self._score, self._y)).mean() if self._score else math.nan
        return {"spearman": spearman, "mae": float(error), "scored_share": share}
