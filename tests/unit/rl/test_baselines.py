"""The objectives that a recipe may name, against their definitions."""

from dataclasses import replace

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from rl.baselines.real import Real
from rl.objective import expected_score, log_likelihood, soft_labels
from rl.rollout_objective import RegressionAware, RolloutObjective
from rl.rollouts import Rollouts
from rl.stages.schema import MediaObjective, Objective

Y = torch.tensor([6.0, 6.3, 0.0, 9.0])


def objective(kind: str, **weights: float) -> RolloutObjective:
    return TypeAdapter(Objective).validate_python({"kind": kind, **weights}).build()


def rollouts(level: list[int], y: torch.Tensor = Y) -> Rollouts:
    """level: the sampled digits, -1 where the score token is none."""
    generator = torch.Generator().manual_seed(0)
    level_B = torch.tensor(level)
    return Rollouts(
        log_p_BK=torch.randn(len(y), 10, generator=generator).log_softmax(-1),
        log_mass_B=torch.full((len(y),), -0.1),
        y_B=y,
        target_BK=soft_labels(y),
        is_scored_B=torch.ones(len(y), dtype=torch.bool),
        level_B=level_B,
        overlap_B=torch.full((len(y),), torch.nan),
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("zero_one", [1.0, 1.0, 0.0, 0.0]),
        ("absolute_error", [0.0, -0.3, -4.0, -9.0]),
        ("squared_error", [0.0, -0.09, -16.0, -81.0]),
    ],
)
def test_the_sampled_digit_is_paid_and_none_is_the_worst(kind, expected) -> None:
    built = objective(kind)
    reward_B = built.rewards(rollouts([6, 6, 4, -1]))
    torch.testing.assert_close(reward_B, torch.tensor(expected), rtol=1e-5, atol=1e-5)
    assert built.credits_score
    assert not built.has_direct_loss


def test_the_squared_reward_of_samples_pays_for_lost_spread_and_reals_does_not() -> None:
    """E[(s - y)^2] = (yhat - y)^2 + Var(s), by summing over all digits."""
    made = rollouts([0] * 4)
    p_BK = made.log_p_BK.exp()
    mean_B = expected_score(made.log_p_BK)
    variance_B = (p_BK * (torch.arange(10) - mean_B[:, None]).square()).sum(-1)
    built = objective("squared_error")
    each = [built.rewards(rollouts([k] * 4)) for k in range(10)]
    expectation_B = (p_BK * torch.stack(each, 1)).sum(-1)
    torch.testing.assert_close(-expectation_B, (mean_B - Y).square() + variance_B)
    real_B = objective("real", likelihood_weight=0.0).rewards(made)
    torch.testing.assert_close(-expectation_B + real_B, variance_B)


def test_the_keys_of_real_are_the_weights_of_its_terms() -> None:
    made = rollouts([0] * 4)
    plain = objective("real", likelihood_weight=0.5)
    assert plain == RegressionAware(refinement_weight=1.0, likelihood_weight=0.5)
    likelihood_B = 0.5 * log_likelihood(made.log_p_BK, made.target_BK)
    expected_B = likelihood_B - (expected_score(made.log_p_BK) - Y).square()
    torch.testing.assert_close(plain.rewards(made), expected_B)
    assert not plain.credits_score
    reward_NG = plain.rewards(made)[None]
    assert objective("real", exploration_weight=0.0).advantages(reward_NG).abs().max() == 0
    assert plain.advantages(reward_NG).abs().max() > 0
    assert not objective("real", refinement_weight=0.0).has_direct_loss
    assert objective("real", refinement_weight=0.0, crps_weight=0.3).has_direct_loss


def test_true_claims_earn_more_and_are_not_differentiated() -> None:
    claimed = TypeAdapter(MediaObjective).validate_python(
        {"kind": "real_claims", "claim_weight": 4.0, "likelihood_weight": 0.5}
    )
    plain = objective("real", likelihood_weight=0.5)
    overlap_B = torch.tensor([0.0, 0.5, 1.0, 0.25])
    is_scored_B = torch.tensor([True, True, True, False])
    made = replace(rollouts([0] * 4), overlap_B=overlap_B, is_scored_B=is_scored_B)
    earned_B = claimed.build().rewards(made) - plain.rewards(made)
    torch.testing.assert_close(earned_B, torch.tensor([0.0, 2.0, 4.0, 0.0]))
    assert torch.equal(claimed.build().direct_loss(made), plain.direct_loss(made))


def test_an_unknown_weight_or_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="real_claims"):
        objective("real_claims", claim_weight=1.0)
    with pytest.raises(ValidationError, match="claim_weight"):
        objective("real", claim_weight=1.0)
    with pytest.raises(ValidationError, match="beta"):
        objective("real", beta=0.1)
    with pytest.raises(ValidationError, match="zero_two"):
        objective("zero_two")
    with pytest.raises(ValidationError, match="crps_weight"):
        Real(kind="real", crps_weight=-1.0)
