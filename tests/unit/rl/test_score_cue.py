import pytest

from moderation.errors import TokenizerError
from moderation.judge.score_head import SCORE_CUE
from rl.score_cue import ScoreCue
from tests.unit.judge.builders import byte_level_bpe, digitless, unigram

PROMETHEUS = "So the overall score is "


@pytest.mark.parametrize("make", [byte_level_bpe, unigram])
@pytest.mark.parametrize("text", [SCORE_CUE, "score:"])
def test_the_score_stands_behind_the_first_cue_not_at_the_last_digit(make, text: str) -> None:
    tokenizer = make()
    cue = ScoreCue(tokenizer, text)
    before = tokenizer.encode(f"audio 1.5-3.0 clean{text}", add_special_tokens=False)
    for digit in range(10):
        whole = f"audio 1.5-3.0 clean{text}{digit} and 4{text}2 or 8"
        ids = tokenizer.encode(whole, add_special_tokens=False)
        assert cue.score_index(ids) == len(before)
        assert cue.level(ids[len(before)]) == digit


def test_a_cue_in_words_is_found_after_unlike_tokens() -> None:
    tokenizer = byte_level_bpe()
    cue = ScoreCue(tokenizer, PROMETHEUS)
    for lead in ("", "Good. ", "\n", "9 of 9, "):
        head = tokenizer.encode(lead, add_special_tokens=False)
        # Written token by token, as a model may: not as the tokenizer would put it.
        spelt = [t for c in PROMETHEUS for t in tokenizer.encode(c, add_special_tokens=False)]
        ids = [*head, *spelt, *tokenizer.encode("7", add_special_tokens=False)]
        assert cue.score_index(ids) == len(ids) - 1


def test_no_cue_a_cut_one_and_nothing_behind_it_give_no_score() -> None:
    tokenizer = byte_level_bpe()
    cue = ScoreCue(tokenizer)
    for text in ("", "clean 7", "clean <score", "clean 3 <score>"):
        assert cue.score_index(tokenizer.encode(text, add_special_tokens=False)) is None


def test_a_token_that_runs_over_the_cue_gives_no_score() -> None:
    tokenizer = byte_level_bpe()
    ids = tokenizer.encode("media is authentic 7", add_special_tokens=False)
    longest = max((tokenizer.decode([t]) for t in ids), key=len)
    assert len(longest) > 3
    cue = ScoreCue(tokenizer, longest[:-1])
    assert cue.score_index(ids) is None


def test_a_tokenizer_without_single_digits_is_refused() -> None:
    with pytest.raises(TokenizerError, match="single digits"):
        ScoreCue(digitless())
