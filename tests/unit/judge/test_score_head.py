import pytest
import torch

from moderation.errors import TokenizerError
from moderation.judge.score_head import SCORE_CUE, digit_scores, digit_token_ids

from .builders import byte_level_bpe, digitless, unigram, word_piece


@pytest.mark.parametrize("family", [byte_level_bpe, unigram, word_piece])
def test_each_digit_is_found_through_the_tokenizer(family) -> None:
    tokenizer = family()
    ids = digit_token_ids(tokenizer)
    assert len(set(ids)) == 10
    for digit, token in enumerate(ids):
        assert tokenizer.encode(f"{SCORE_CUE}{digit}", add_special_tokens=False)[-1] == token
        assert tokenizer.decode([token]).strip().removeprefix("##") == str(digit)


def test_a_tokenizer_without_digit_tokens_is_refused_with_what_it_wrote() -> None:
    with pytest.raises(TokenizerError, match=r"<score>0.*one token that stands for '0'"):
        digit_token_ids(digitless())


def test_expected_score_of_a_known_distribution() -> None:
    logits = torch.full((1, 20), -1e9)
    digits = torch.arange(5, 15)
    logits[0, 5 + 2] = torch.log(torch.tensor(0.3))
    logits[0, 5 + 8] = torch.log(torch.tensor(0.3))
    logits[0, 0] = torch.log(torch.tensor(0.4))
    scores = digit_scores(logits, digits)
    assert scores.expected_N.item() == pytest.approx(5.0)
    assert scores.mass_N.item() == pytest.approx(0.6)
    assert scores.probabilities_NK.sum().item() == pytest.approx(1.0)


def test_expected_score_ignores_what_is_not_a_digit() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 30)
    digits = torch.arange(10)
    before = digit_scores(logits, digits)
    logits[:, 10:] += 5.0
    after = digit_scores(logits, digits)
    assert torch.equal(before.expected_N, after.expected_N)
    assert (after.mass_N < before.mass_N).all()
