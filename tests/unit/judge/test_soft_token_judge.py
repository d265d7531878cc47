import pytest
import torch

from moderation.errors import JudgeError
from moderation.judge.language_model import LanguageModel
from moderation.types import Mode

from .builders import byte_level_bpe, features, judge, language_model


def test_no_features_is_an_error_not_a_score() -> None:
    with pytest.raises(JudgeError, match="clip, whisper"):
        judge().judge([features(1.0, encoders=[])], Mode.FAST)


def test_logits_behind_the_cached_prefix_equal_those_of_the_whole_prompt() -> None:
    tokenizer = byte_level_bpe()
    model = language_model(len(tokenizer))
    prefix, rest = [5, 9, 17, 30], [[40, 41, 42], [50, 51, 52, 53, 54]]
    lm = LanguageModel(model, prefix)
    with torch.inference_mode():
        got = lm.next_logits([lm.embed(ids) for ids in rest])
        again = lm.next_logits([lm.embed(ids) for ids in rest])
        want = torch.stack([model(torch.tensor([prefix + ids])).logits[0, -1] for ids in rest])
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)
    assert torch.equal(got, again)


def test_greedy_continuation_equals_generate_and_scores_behind_the_cue() -> None:
    tokenizer = byte_level_bpe()
    model = language_model(len(tokenizer), seed=3)
    prefix, rest, cue = [5, 9, 17, 30], [[40, 41, 42], [50, 51, 52, 53, 54]], [60, 61]
    lm = LanguageModel(model, prefix)
    with torch.inference_mode():
        free = [
            model.generate(
                torch.tensor([prefix + ids]),
                max_new_tokens=5,
                do_sample=False,
                eos_token_id=None,
                pad_token_id=0,
            )[0, len(prefix + ids) :].tolist()
            for ids in rest
        ]
        stop = free[0][3]
        written = lm.continue_until(
            [lm.embed(ids) for ids in rest],
            choose=lambda _, logits: logits.argmax(-1).tolist(),
            is_stop=lambda token: token == stop,
            score_cue=cue,
            tokens_max=5,
        )
        end = free[0].index(stop)
        assert list(written[0].token_ids) == free[0][:end]
        whole = torch.tensor([prefix + rest[0] + free[0][:end] + cue])
        want = model(whole).logits[0, -1]
    torch.testing.assert_close(written[0].score_logits_V, want, atol=1e-4, rtol=1e-4)
    if stop not in free[1]:
        assert list(written[1].token_ids) == free[1]
        assert written[1].score_logits_V is None
