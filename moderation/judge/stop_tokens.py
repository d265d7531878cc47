"""Which tokens end a rationale."""

from typing import Any


def is_stop_token(tokenizer: Any, token_id: int) -> bool:
    """Whether a judge that writes this token has ended its rationale: any special, any newline."""
    if token_id in tokenizer.all_special_ids:
        return True
    return "\n" in tokenizer.decode([token_id])


def stop_token_ids(tokenizer: Any) -> frozenset[int]:
    """All such tokens of a tokenizer."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    newlines = {token for token, text in enumerate(texts) if "\n" in text}
    return frozenset(newlines | set(tokenizer.all_special_ids))
