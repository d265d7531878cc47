"""Tokens drawn from next-token logits, at temperature 1 and from the whole vocabulary."""

from collections.abc import Sequence

import torch


def sample(_rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
    """A token of each row, drawn with probability softmax(logits), from torch's default generator.

    logits_BV: (B, V) float. Inversion (Devroye 1986, II.2.1): the first token at which the
    cumulative distribution exceeds a uniform number. It takes one number a row, where
    `torch.multinomial` draws one for every token of the vocabulary.
    """
    weights_BV = (logits_BV - logits_BV.amax(-1, keepdim=True)).exp_()
    # In single precision the sum over a vocabulary would round the rarest tokens away.
    cumulative_BV = weights_BV.cumsum(-1, dtype=torch.float64)
    uniform_B1 = torch.rand(len(logits_BV), 1, dtype=torch.float64).to(logits_BV.device)
    drawn_B1 = torch.searchsorted(cumulative_BV, uniform_B1 * cumulative_BV[:, -1:], right=True)
    # The product may round up to the total, behind which no token stands.
    last = logits_BV.shape[1] - 1
    return list(drawn_B1[:, 0].clamp_max(last).tolist())
