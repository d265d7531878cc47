"""Rows that leave a batch, and what those that stay go on from."""

import pytest
import torch

from moderation.judge.language_model import LanguageModel

from .builders import byte_level_bpe, language_model

PROMPTS = [[40, 41, 42], [50, 51, 52, 53, 54]]
PREFIX = [5, 9, 17, 30]


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)], ids=["whole", "half"]
)
def test_rows_that_stay_have_the_logits_of_a_pass_of_their_own(
    dtype: torch.dtype, tolerance: float
) -> None:
    """Longer than the room that keys and values begin with; rows leave from either end."""
    model = language_model(len(byte_level_bpe())).to(dtype)
    lm = LanguageModel(model, PREFIX)
    prompt_B = [0, 1, 1, 0, 1]
    decoding = lm.decode([lm.embed(ids) for ids in PROMPTS], prompt_B)
    rows = list(range(5))
    read: list[list[int]] = [[] for _ in rows]
    for step in range(80):
        if step in (3, 70):
            stay = [place for place, row in enumerate(rows) if row not in (0, 3, step // 17)]
            rows = [rows[place] for place in decoding.keep(stay)]
        tokens = [10 + (7 * row + step) % 60 for row in rows]
        for row, token in zip(rows, tokens, strict=True):
            read[row].append(token)
        decoding.feed(tokens)
    assert sorted(rows) == [1, 2]
    with torch.inference_mode():
        for row, logits_V in zip(rows, decoding.logits_BV, strict=True):
            whole = torch.tensor([[*PREFIX, *PROMPTS[prompt_B[row]], *read[row]]])
            want = model(whole).logits[0, -1].float()
            torch.testing.assert_close(logits_V, want, atol=tolerance, rtol=tolerance)
