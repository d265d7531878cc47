import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moderation.judge.sequence_spec import SequenceSpec
from moderation.judge.soft_tokens import SoftTokenProjector, window_members

from .builders import SPECS, features


@given(st.floats(0, 1e5), st.floats(0, 4), st.integers(1, 20))
def test_a_budget_of_windows_is_kept(duration: float, rate: float, most: int) -> None:
    spec = SequenceSpec("x", {"a": 1}, windows_per_second=rate, windows_max=most)
    assert 1 <= spec.windows(duration) <= most


@given(st.lists(st.floats(0, 60), min_size=1, max_size=40), st.integers(1, 12))
def test_every_position_is_read_and_no_window_is_empty(middles: list[float], count: int) -> None:
    edges = np.linspace(0, 60, count + 1)
    member = window_members(np.array(sorted(middles)), edges.tolist())
    assert member.any(axis=0).all()
    assert member.any(axis=1).all()


def test_tokens_carry_their_time_and_encoder() -> None:
    torch.manual_seed(0)
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    tokens = projector([features(3.0)])[0]
    assert tokens.embeddings_ND.shape == (3 * 2 + 3, 32)
    assert tokens.encoders == ("clip",) * 6 + ("whisper",) * 3
    assert tokens.start_seconds[:6] == pytest.approx((0, 0, 1, 1, 2, 2))
    assert tokens.end_seconds[6:] == pytest.approx((1, 2, 3))


def test_a_change_in_one_second_changes_that_second_alone() -> None:
    torch.manual_seed(0)
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    before = features(3.0, encoders=["whisper"])
    after = features(3.0, encoders=["whisper"])
    after.sequences[0].layers["block"][10:20] += 1.0
    a = projector([before])[0].embeddings_ND
    b = projector([after])[0].embeddings_ND
    assert torch.equal(a[[0, 2]], b[[0, 2]])
    assert not torch.allclose(a[1], b[1])


def test_neighbours_do_not_change_an_items_tokens() -> None:
    torch.manual_seed(0)
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    items = [features(1.0, seed=1), features(7.3, seed=2), features(2.0, seed=3)]
    together = projector(items)
    for item, tokens in zip(items, together, strict=True):
        alone = projector([item])[0]
        torch.testing.assert_close(alone.embeddings_ND, tokens.embeddings_ND, atol=1e-5, rtol=0)


def test_an_item_without_known_features_gets_no_tokens() -> None:
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    assert projector([features(1.0, encoders=[])])[0].encoders == ()
