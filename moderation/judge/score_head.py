"""From next-token logits to an expected score over the ten digits (RAIL).

Regression-aware inference: arXiv:2403.04182; used by REAL, arXiv:2603.17145.
N items, K score levels, V vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import torch

from moderation.errors import TokenizerError
from moderation.types import LEVELS_K

SCORE_CUE = "<score>"
"""The score digit stands behind this, and nowhere else: a rationale may hold digits too."""


@dataclass(frozen=True, slots=True)
class DigitScores:
    """probabilities_NK sums to 1; mass_N: the digits' share of all tokens; expected_N in 0..9."""

    probabilities_NK: torch.Tensor
    mass_N: torch.Tensor
    expected_N: torch.Tensor


def digit_token_ids(tokenizer: Any, context: str = SCORE_CUE) -> tuple[int, ...]:
    """Token of each digit 0..9 as it stands right after `context`, asked of the tokenizer itself.

    Raises:
        TokenizerError: a digit there is not exactly one token of its own.
    """
    before = tokenizer.encode(context, add_special_tokens=False)
    found: list[int] = []
    for digit in map(str, range(LEVELS_K)):
        after = tokenizer.encode(context + digit, add_special_tokens=False)
        is_single = len(after) == len(before) + 1 and after[:-1] == before
        if not is_single or after[-1] == tokenizer.unk_token_id or after[-1] in found:
            pieces = tokenizer.convert_ids_to_tokens(after)
            raise TokenizerError(
                f"the tokenizer writes {context + digit!r} as {pieces}",
                expected=f"{context!r} followed by one token that stands for {digit!r} alone",
                remedy="Choose a backbone whose tokenizer keeps single digits as tokens.",
            )
        found.append(after[-1])
    return tuple(found)


def digit_scores(logits_NV: torch.Tensor, digit_ids_K: torch.Tensor) -> DigitScores:
    """Digit distribution, mass and expected score at one position of each item.

    logits_NV: (N, V) at the score position; digit_ids_K: (10,) long.
    expected = sum_k k p(k | x, c), p renormalised over the digits (arXiv:2603.17145, RAIL score).
    """
    logits_NV = logits_NV.float()
    digit_logits_NK = logits_NV.index_select(-1, digit_ids_K)
    log_mass_N = torch.logsumexp(digit_logits_NK, -1) - torch.logsumexp(logits_NV, -1)
    probabilities_NK = digit_logits_NK.softmax(-1)
    levels_K = torch.arange(LEVELS_K, dtype=torch.float32, device=logits_NV.device)
    return DigitScores(probabilities_NK, log_mass_N.exp(), probabilities_NK @ levels_K)
