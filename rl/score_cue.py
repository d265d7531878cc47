"""Where the score stands in what a judge wrote: right behind the first score cue."""

from collections.abc import Sequence
from typing import Any

from moderation.judge.score_head import SCORE_CUE, digit_token_ids


class ScoreCue:
    """Finds the score by structure: a rationale holds digits too, so the last one proves nothing.

    text: the phrase that the score follows, with any space between the two.

    Raises:
        TokenizerError: a digit behind the cue is not one token.
    """

    def __init__(self, tokenizer: Any, text: str = SCORE_CUE) -> None:
        self._tokenizer = tokenizer
        self._text = text
        self.digit_ids_K = digit_token_ids(tokenizer, text)
        self._level_of = {token: level for level, token in enumerate(self.digit_ids_K)}

    def score_index(self, token_ids: Sequence[int]) -> int | None:
        """Index of the token behind the first cue; None if there is no cue or nothing behind it.

        Only the first cue counts: what comes later cannot change the score. A token that runs over
        the end of the cue hides where the score would stand, and gives None as well.
        """
        if not self._holds_cue(token_ids):
            return None
        # The cue is in every prefix from some length on; halve down to that length.
        low, high = 0, len(token_ids)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._holds_cue(token_ids[:middle]) else (middle, high)
        ends_there = self._decode(token_ids[:high]).endswith(self._text)
        return high if ends_there and high < len(token_ids) else None

    def level(self, token_id: int) -> int | None:
        """The digit that a token stands for; None for any other token."""
        return self._level_of.get(token_id)

    def _holds_cue(self, token_ids: Sequence[int]) -> bool:
        return self._text in self._decode(token_ids)

    def _decode(self, token_ids: Sequence[int]) -> str:
        # Special tokens are kept: a cue may be one.
        text = self._tokenizer.decode(list(token_ids), clean_up_tokenization_spaces=False)
        return str(text)
