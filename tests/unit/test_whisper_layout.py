"""The thinned layout of Whisper's window."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from encoders.whisper_layout import Thinning


@pytest.mark.parametrize("sound", [1, 50, 700, 1449, 1475, 1500])
def test_layout_stands_for_every_position_once(sound: int) -> None:
    thinning = Thinning()
    layout = thinning.layout(sound, 1500)
    positions = layout.positions_P
    assert (np.diff(positions) > 0).all()
    assert layout.weights_P.sum() == pytest.approx(1500)
    np.testing.assert_array_equal(positions[:sound], np.arange(sound))
    assert (layout.weights_P[: min(1500, sound + thinning.margin)] == 1).all()
    assert positions[-1] == 1499


def test_log_weights_count_a_key_as_often_as_it_stands() -> None:
    generator = torch.Generator().manual_seed(0)
    query, keys, values = (torch.randn(1, n, 8, generator=generator) for n in (3, 4, 4))
    times = torch.tensor([1, 3, 1, 5])
    repeated = functional.scaled_dot_product_attention(
        query, keys.repeat_interleave(times, 1), values.repeat_interleave(times, 1)
    )
    weighted = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=times.float().log()
    )
    assert torch.allclose(repeated, weighted, atol=1e-6)
