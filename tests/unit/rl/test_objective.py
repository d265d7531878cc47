import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rl.objective import digit_mass_penalty, raft_loss, rationale_loss, soft_labels


def test_raft_loss_of_a_hand_computed_case() -> None:
    loss = raft_loss(torch.tensor([2.0, 9.0]), torch.tensor([5.0, 8.5]))
    assert loss.item() == pytest.approx((9.0 + 0.25) / 2)


def test_raft_gradient_equals_finite_differences() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 10, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 4.2, 9.0], dtype=torch.float64)
    levels = torch.arange(10, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: raft_loss(x.softmax(-1) @ levels, y), logits)


@given(st.floats(0, 9))
def test_soft_labels_keep_the_mean_on_at_most_two_levels(y: float) -> None:
    label = soft_labels(torch.tensor([y], dtype=torch.float64))[0]
    assert label.sum().item() == pytest.approx(1.0)
    assert (label @ torch.arange(10, dtype=torch.float64)).item() == pytest.approx(y)
    assert (label > 0).sum() <= 2


def test_lost_mass_costs_its_negative_logarithm() -> None:
    assert digit_mass_penalty(torch.tensor([1.0, 1.0])).item() == 0
    assert digit_mass_penalty(torch.tensor([0.5, 1.0])).item() == pytest.approx(0.34657, abs=1e-4)
    assert torch.isfinite(digit_mass_penalty(torch.tensor([0.0])))


def test_rationale_loss_is_the_entropy_of_a_uniform_guess() -> None:
    loss = rationale_loss(torch.zeros(4, 8), torch.tensor([0, 1, 2, 7]))
    assert loss.item() == pytest.approx(2.0794, abs=1e-4)
