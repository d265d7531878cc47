"""The training objective, as pure functions of tensors.

N items, K score levels (0..9), T tokens. Scores and labels y are on the scale 0..9.
"""

import torch

from moderation.types import LEVELS_K


def raft_loss(expected_N: torch.Tensor, y_N: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the expected score: (1/N) sum (y - sum_k k p_k)^2.

    expected_N: RAIL scores, see `moderation.judge.score_head.digit_scores`; y_N: labels, graded.
    Source: RAFT (arXiv:2403.04182 for inference, ICLR 2025 for fine-tuning).
    """
    return (y_N - expected_N).square().mean()


def digit_mass_penalty(mass_N: torch.Tensor) -> torch.Tensor:
    """-(1/N) sum log mass: what is lost when the model would rather not write a digit.

    Renormalising over digits removes the implicit penalty on an answer that is no digit; this
    brings it back. mass_N in (0, 1].
    """
    return -mass_N.clamp_min(torch.finfo(mass_N.dtype).tiny).log().mean()


def soft_labels(y_N: torch.Tensor) -> torch.Tensor:
    """(N, K) two-point distribution with mean y: 6.3 is 0.7 on 6 and 0.3 on 7."""
    levels_K = torch.arange(LEVELS_K, dtype=y_N.dtype, device=y_N.device)
    return (1 - (y_N[:, None] - levels_K).abs()).clamp_min(0)


def rationale_loss(logits_TV: torch.Tensor, target_T: torch.Tensor) -> torch.Tensor:
    """Token-mean cross entropy of reference rationales; the score token is not among the targets.

    Source: TRACT (arXiv:2503.04381), stage 1.
    """
    return torch.nn.functional.cross_entropy(logits_TV, target_T)
