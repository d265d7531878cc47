import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from moderation.judge.score_head import digit_scores
from rl.evaluation.graded import ranked_probability_scores
from rl.objective import (
    bounded_advantage,
    crps,
    digit_mass_penalty,
    expected_score,
    group_relative_advantage,
    leave_one_out,
    log_digit_distribution,
    log_likelihood,
    marginal_wasserstein,
    raft_loss,
    rationale_loss,
    refinement_loss,
    regression_reward,
    soft_labels,
    wasserstein,
)

LEVELS = torch.arange(10, dtype=torch.float64)
GRADED = torch.tensor([0.0, 3.0, 6.3, 8.95, 9.0], dtype=torch.float64)


def distributions(count: int = 5, *, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 10, dtype=torch.float64, generator=generator).mul(2).softmax(-1)


def test_distribution_and_mass_are_those_that_serving_reads() -> None:
    torch.manual_seed(0)
    logits, ids = torch.randn(4, 30) * 3, torch.tensor([5, 7, 9, 11, 2, 3, 20, 21, 29, 0])
    log_p, log_mass = log_digit_distribution(logits, ids)
    served = digit_scores(logits, ids)
    torch.testing.assert_close(log_p.exp(), served.probabilities_NK)
    torch.testing.assert_close(log_mass.exp(), served.mass_N)
    torch.testing.assert_close(expected_score(log_p), served.expected_N)


def test_log_probabilities_stay_finite_where_probabilities_are_nought() -> None:
    logits = torch.zeros(1, 12)
    logits[0, 3] = 400.0
    log_p, _ = log_digit_distribution(logits, torch.arange(10))
    assert log_p[0, 0].item() == pytest.approx(-400)
    assert expected_score(log_p).item() == pytest.approx(3)


def test_expected_score_of_uniform_and_of_one_level() -> None:
    uniform = torch.full((1, 10), 0.1, dtype=torch.float64).log()
    assert expected_score(uniform).item() == pytest.approx(4.5)
    one_level = torch.full((1, 10), -torch.inf)
    one_level[0, 7] = 0.0
    assert expected_score(one_level).item() == 7


@given(st.floats(0, 9))
def test_soft_labels_keep_the_mean_on_at_most_two_levels(y: float) -> None:
    label = soft_labels(torch.tensor([y], dtype=torch.float64))[0]
    assert label.sum().item() == pytest.approx(1.0)
    assert (label @ LEVELS).item() == pytest.approx(y)
    assert (label > 0).sum() <= 2


def test_a_graded_label_parts_its_likelihood_between_two_levels() -> None:
    log_p = distributions(1).log()
    likelihood = log_likelihood(log_p, soft_labels(torch.tensor([6.3], dtype=torch.float64)))
    assert likelihood.item() == pytest.approx(0.7 * log_p[0, 6].item() + 0.3 * log_p[0, 7].item())


def test_reward_of_a_hand_computed_case() -> None:
    log_p = torch.full((1, 10), 0.1, dtype=torch.float64).log()
    y = torch.tensor([6.3], dtype=torch.float64)
    reward = regression_reward(log_p, y, soft_labels(y), likelihood_weight=2.0)
    assert reward.item() == pytest.approx(-(1.8**2) + 2.0 * np.log(0.1))


def test_reward_pays_for_the_mean_and_a_sampled_score_also_for_lost_variance() -> None:
    p = distributions()
    reward = regression_reward(p.log(), GRADED, soft_labels(GRADED), likelihood_weight=0.0)
    sampled = (p * (LEVELS - GRADED[:, None]).square()).sum(-1)
    variance = p @ LEVELS.square() - (p @ LEVELS).square()
    torch.testing.assert_close(sampled, -reward + variance)


def test_gradients_of_the_reward_equal_the_written_out_form() -> None:
    logits = torch.randn(5, 10, dtype=torch.float64, requires_grad=True)
    target = soft_labels(GRADED)

    def reward(x: torch.Tensor) -> torch.Tensor:
        return regression_reward(x.log_softmax(-1), GRADED, target, likelihood_weight=0.7)

    assert torch.autograd.gradcheck(reward, logits)
    (gradient,) = torch.autograd.grad(reward(logits).sum(), logits)
    p = logits.detach().softmax(-1)
    mean = p @ LEVELS
    d_mean = p * (LEVELS - mean[:, None])
    written = -2 * (mean - GRADED)[:, None] * d_mean + 0.7 * (target - p)
    torch.testing.assert_close(gradient, written)


def test_leave_one_out_subtracts_the_mean_of_the_others() -> None:
    reward = torch.tensor([[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]])
    assert leave_one_out(reward).tolist() == [[-3.0, -1.5, 4.5], [0.0, 0.0, 0.0]]


def test_advantage_is_scaled_by_the_spread_floored_and_cut() -> None:
    reward = torch.tensor([[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.004]])
    advantage = bounded_advantage(reward, std_floor=0.1, advantage_max=1.0)
    spread = np.std([0, 1, 2, 3], ddof=1)
    assert advantage[0].tolist() == pytest.approx([-1, -2 / 3 / spread, 2 / 3 / spread, 1])
    assert advantage[1].tolist() == pytest.approx([-0.004 / 3 / 0.1] * 3 + [0.04], rel=1e-4)


def test_group_relative_advantage_is_the_z_score_but_for_its_epsilon() -> None:
    reward = torch.tensor([[0.0, 1.0, 1.0, 0.0], [3.0, -1.0, 2.0, 8.0]], dtype=torch.float64)
    z = stats.zscore(reward.numpy(), axis=1, ddof=1)
    np.testing.assert_allclose(group_relative_advantage(reward, epsilon=0.0).numpy(), z)
    assert group_relative_advantage(torch.zeros(1, 4)).abs().max() == 0


def test_two_term_estimator_has_the_exact_gradient_as_its_mean() -> None:
    """Every group of two rationales of a softmax policy, weighted by its probability."""
    torch.manual_seed(1)
    policy = torch.randn(4, dtype=torch.float64, requires_grad=True)
    heads = torch.randn(4, 10, dtype=torch.float64, requires_grad=True)
    shared = torch.randn(10, dtype=torch.float64, requires_grad=True)
    weights = (policy, heads, shared)
    y = torch.full((4,), 5.4, dtype=torch.float64)
    is_scored = torch.tensor([True, True, True, False])

    def rewards() -> torch.Tensor:
        log_p = (heads + shared * policy[:, None]).log_softmax(-1)
        scored = regression_reward(log_p, y, soft_labels(y), likelihood_weight=0.3)
        return torch.where(is_scored, scored, torch.full_like(scored, -81.0))

    probability = policy.detach().softmax(-1)
    exact = torch.autograd.grad((policy.softmax(-1) * rewards()).sum(), weights)
    mean = [torch.zeros_like(weight) for weight in weights]
    for pair in itertools.product(range(4), repeat=2):
        chosen = list(pair)
        reward = rewards()[chosen]
        advantage = leave_one_out(reward.detach()[None])[0]
        exploration = -(advantage * policy.log_softmax(-1)[chosen]).mean()
        loss = exploration + refinement_loss(reward, is_scored[chosen])
        for total, gradient in zip(mean, torch.autograd.grad(loss, weights), strict=True):
            total -= probability[chosen].prod() * gradient
    for total, gradient in zip(mean, exact, strict=True):
        torch.testing.assert_close(total, gradient, rtol=1e-12, atol=1e-12)


def test_refinement_skips_what_has_no_score_but_counts_it() -> None:
    reward = torch.tensor([-4.0, -81.0], requires_grad=True)
    loss = refinement_loss(reward, torch.tensor([True, False]))
    loss.backward()
    assert loss.item() == 2.0
    assert reward.grad is not None
    assert reward.grad.tolist() == [-0.5, 0.0]


def test_crps_of_a_level_is_its_energy_form() -> None:
    """CRPS = E|X - y| - E|X - X'|/2 (Gneiting and Raftery 2007, eq. 21), by enumeration."""
    p = distributions()
    y = torch.tensor([0, 3, 6, 8, 9])
    apart = (LEVELS[:, None] - LEVELS).abs()
    spread = torch.einsum("nj,nk,jk->n", p, p, apart)
    energy = (p * (LEVELS - y[:, None]).abs()).sum(-1) - spread / 2
    torch.testing.assert_close(crps(p, soft_labels(y.double())), energy)


def test_crps_of_graded_labels_is_the_one_that_evaluation_reports() -> None:
    p = distributions()
    reported = ranked_probability_scores(p.numpy(), GRADED.numpy())
    np.testing.assert_allclose(crps(p, soft_labels(GRADED)).numpy(), reported)


def test_crps_of_raters_differs_from_their_mean_by_a_constant() -> None:
    raters = torch.tensor([2.0, 2.0, 5.0, 9.0], dtype=torch.float64)
    held = soft_labels(raters).mean(0, keepdim=True)
    gaps = []
    for seed in (0, 1):
        p = distributions(1, seed=seed)
        each = crps(p.expand(4, 10), soft_labels(raters)).mean()
        gaps.append((each - crps(p, held)[0]).item())
    assert gaps[0] == pytest.approx(gaps[1])
    assert crps(held, held).item() == 0


def test_wasserstein_equals_scipy() -> None:
    p, q = distributions(seed=0), distributions(seed=1)
    expected = [stats.wasserstein_distance(LEVELS, LEVELS, a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(wasserstein(p, q).numpy(), expected)
    whole = stats.wasserstein_distance(LEVELS, LEVELS, p.mean(0), q.mean(0))
    assert marginal_wasserstein(p, q).item() == pytest.approx(whole)
    swapped = p[torch.tensor([1, 0, 2, 3, 4])]
    assert marginal_wasserstein(p, swapped).item() == pytest.approx(0, abs=1e-12)
    assert wasserstein(p, swapped).max() > 0.1


def test_alignment_terms_have_gradients() -> None:
    logits = torch.randn(3, 10, dtype=torch.float64, requires_grad=True)
    target = soft_labels(GRADED[:3])
    assert torch.autograd.gradcheck(lambda x: crps(x.softmax(-1), target), logits)
    assert torch.autograd.gradcheck(lambda x: marginal_wasserstein(x.softmax(-1), target), logits)


def test_lost_mass_costs_its_negative_logarithm() -> None:
    assert digit_mass_penalty(torch.tensor([1.0, 1.0])).item() == 0
    assert digit_mass_penalty(torch.tensor([0.5, 1.0])).item() == pytest.approx(0.34657, abs=1e-4)
    assert torch.isfinite(digit_mass_penalty(torch.tensor([0.0])))


def test_raft_loss_of_a_hand_computed_case() -> None:
    loss = raft_loss(torch.tensor([2.0, 9.0]), torch.tensor([5.0, 8.5]))
    assert loss.item() == pytest.approx((9.0 + 0.25) / 2)


def test_raft_gradient_equals_finite_differences() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 10, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 4.2, 9.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: raft_loss(x.softmax(-1) @ LEVELS, y), logits)


def test_rationale_loss_is_the_entropy_of_a_uniform_guess() -> None:
    loss = rationale_loss(torch.zeros(4, 8), torch.tensor([0, 1, 2, 7]))
    assert loss.item() == pytest.approx(2.0794, abs=1e-4)
