"""The training objective, as pure functions of tensors.

N items, G rollouts of a group, K score levels (0..9), T tokens, V vocabulary. Scores and labels y
are on the scale 0..9; a distribution over levels is given as probabilities or as their logarithms.
"""

import torch

from moderation.types import LEVELS_K


def log_digit_distribution(
    logits_NV: torch.Tensor, digit_ids_K: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, K) log p(k | x, c), renormalised over the digit tokens, and (N,) log digit mass.

    The mass is sum_k pi(k | x, c), the digits' share of all tokens. logits_NV: at the score
    position; digit_ids_K: (K,) long. The logarithm of what `score_head.digit_scores` serves.
    """
    digit_logits_NK = logits_NV.index_select(-1, digit_ids_K)
    digits_N, all_N = digit_logits_NK.logsumexp(-1), logits_NV.logsumexp(-1)
    return digit_logits_NK - digits_N[:, None], digits_N - all_N


def expected_score(log_p_NK: torch.Tensor) -> torch.Tensor:
    """(N,) RAIL score: sum_k k p(k | x, c).

    Source: regression-aware inference (arXiv:2403.04182); REAL (arXiv:2603.17145).
    """
    return log_p_NK.exp() @ _levels(log_p_NK)


def digit_mass_penalty(mass_N: torch.Tensor) -> torch.Tensor:
    """-(1/N) sum log mass: what is lost when the model would rather not write a digit.

    Renormalising over digits removes the implicit penalty on an answer that is no digit; this
    brings it back. mass_N in (0, 1].
    """
    return -mass_N.clamp_min(torch.finfo(mass_N.dtype).tiny).log().mean()


def soft_labels(y_N: torch.Tensor) -> torch.Tensor:
    """(N, K) two-point distribution with mean y: 6.3 is 0.7 on 6 and 0.3 on 7."""
    return (1 - (y_N[:, None] - _levels(y_N)).abs()).clamp_min(0)


def log_likelihood(log_p_NK: torch.Tensor, target_NK: torch.Tensor) -> torch.Tensor:
    """(N,) sum_k q(k) log p(k | x, c): log p(y | x, c) where the label is one level.

    target_NK: q, see `soft_labels`, or the distribution of raters' scores.
    """
    return (target_NK * log_p_NK).sum(-1)


def regression_reward(
    log_p_NK: torch.Tensor,
    y_N: torch.Tensor,
    target_NK: torch.Tensor,
    *,
    likelihood_weight: float,
) -> torch.Tensor:
    """(N,) r = -(yhat - y)^2 + lambda log p(y | x, c); lambda is `likelihood_weight`.

    The squared error is of the mean, not of a sampled score s: E[(s - y)^2] also holds Var(s), so a
    policy paid for the latter loses its spread.

    Source: REAL (arXiv:2603.17145), the reward; graded labels through `soft_labels`.
    """
    error_N = (expected_score(log_p_NK) - y_N).square()
    return likelihood_weight * log_likelihood(log_p_NK, target_NK) - error_N


def leave_one_out(reward_NG: torch.Tensor) -> torch.Tensor:
    """(N, G) reward less the mean of the group's others: r_i - (1/(G-1)) sum_{j != i} r_j.

    The others' mean does not depend on rollout i, so it takes no bias into the policy gradient.

    Source: RLOO (arXiv:2402.14740).
    """
    rollouts_G = reward_NG.shape[1]
    return (reward_NG - reward_NG.mean(1, keepdim=True)) * rollouts_G / (rollouts_G - 1)


def bounded_advantage(
    reward_NG: torch.Tensor, *, std_floor: float, advantage_max: float
) -> torch.Tensor:
    """(N, G) leave-one-out advantage over the group's spread, cut to +-`advantage_max`.

    clip(A / max(std, floor)); std with G - 1. The floor keeps near-ties from being blown up.

    Source: the released code of REAL (arXiv:2603.17145) for spread and cut.
    """
    std_N1 = reward_NG.std(1, keepdim=True)
    scaled_NG = leave_one_out(reward_NG) / std_N1.clamp_min(std_floor)
    return scaled_NG.clamp(-advantage_max, advantage_max)


def group_relative_advantage(reward_NG: torch.Tensor, *, epsilon: float = 1e-4) -> torch.Tensor:
    """(N, G) GRPO: (r - mean) / (std + epsilon) of the group; std with G - 1.

    Source: DeepSeekMath (arXiv:2402.03300), sec. 4.1.2; epsilon as TRL has it.
    """
    centred_NG = reward_NG - reward_NG.mean(1, keepdim=True)
    return centred_NG / (reward_NG.std(1, keepdim=True) + epsilon)


def refinement_loss(reward_N: torch.Tensor, is_scored_N: torch.Tensor) -> torch.Tensor:
    """-(1/N) sum r, whose gradient is the second term of the estimator, without its weight beta.

    d E[r] = E_c[A dlog pi(c | x) + dr]: r depends on the weights, as the policy does. Rollouts
    without a score have a constant reward; they add nothing but count in N.

    reward_N: with gradients; is_scored_N: bool. Source: REAL (arXiv:2603.17145).
    """
    return -torch.where(is_scored_N, reward_N, torch.zeros_like(reward_N)).mean()


def crps(p_NK: torch.Tensor, target_NK: torch.Tensor) -> torch.Tensor:
    """(N,) ranked probability score sum_k (F(k) - G(k))^2, F and G the two CDFs.

    For a label on one level y, G(k) = 1[y <= k] and this is the CRPS; for graded labels and raters'
    distributions it is the expected CRPS less a constant, with the same gradient.

    Source: Gneiting and Raftery (2007), eq. 20; Epstein (1969) for the discrete form.
    """
    return (p_NK - target_NK).cumsum(-1).square().sum(-1)


def wasserstein(p_NK: torch.Tensor, target_NK: torch.Tensor) -> torch.Tensor:
    """(N,) 1-Wasserstein distance in levels: sum_k |F(k) - G(k)|.

    Source: Vallender (1974): in one dimension, the area between the two CDFs.
    """
    return (p_NK - target_NK).cumsum(-1).abs().sum(-1)


def marginal_wasserstein(p_NK: torch.Tensor, target_NK: torch.Tensor) -> torch.Tensor:
    """1-Wasserstein distance between the mean predicted and the mean human distribution.

    Items may differ from their labels and the whole still use the scale as people do; this looks at
    the whole.
    """
    return wasserstein(p_NK.mean(0, keepdim=True), target_NK.mean(0, keepdim=True))[0]


def raft_loss(expected_N: torch.Tensor, y_N: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the expected score: (1/N) sum (y - sum_k k p_k)^2.

    expected_N: RAIL scores, see `moderation.judge.score_head.digit_scores`; y_N: labels, graded.
    Source: RAFT (arXiv:2403.04182 for inference, ICLR 2025 for fine-tuning).
    """
    return (y_N - expected_N).square().mean()


def score_cross_entropy(
    log_p_NK: torch.Tensor, log_mass_N: torch.Tensor, target_NK: torch.Tensor
) -> torch.Tensor:
    """-(1/N) sum_n sum_k q(k) log pi(k | x, c): cross entropy of the score token over all tokens.

    log pi(k) = log p(k) + log mass, see `log_digit_distribution`; target_NK: q, see `soft_labels`.
    """
    return -(log_likelihood(log_p_NK, target_NK) + log_mass_N * target_NK.sum(-1)).mean()


def rationale_loss(logits_TV: torch.Tensor, target_T: torch.Tensor) -> torch.Tensor:
    """Token-mean cross entropy of reference rationales; the score token is not among the targets.

    Source: TRACT (arXiv:2503.04381), stage 1.
    """
    return torch.nn.functional.cross_entropy(logits_TV, target_T)


def _levels(like: torch.Tensor) -> torch.Tensor:
    return torch.arange(LEVELS_K, dtype=like.dtype, device=like.device)
