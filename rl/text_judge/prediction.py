"""What a text judge says of items: the digit distribution straight away, or behind a rationale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from encoders.types import FloatArray
from moderation.judge.score_head import digit_scores, digit_token_ids
from moderation.types import Mode
from rl.score_cue import ScoreCue
from rl.text_judge.items import TextItem
from rl.text_judge.model import TextJudge
from rl.text_rollouts import TextRollouts


@dataclass(frozen=True, slots=True)
class TextPredictions:
    """p_NK: (N, 10) digit distributions. rationales: one an item, None in fast mode.

    is_whole_N: whether the reply came to its score; one that did not has the fast one.
    """

    p_NK: FloatArray
    rationales: tuple[str, ...] | None
    is_whole_N: tuple[bool, ...]


def predict(
    judge: TextJudge, items: Sequence[TextItem], mode: Mode, *, batch_items: int = 16
) -> TextPredictions:
    """Predictions in the order of the items; rationales are greedy."""
    judge.eval()
    lengths = [len(judge.writer.prompt_ids(item)) for item in items]
    order = sorted(range(len(items)), key=lambda i: (lengths[i], i))
    p_NK = np.zeros((len(items), 10), np.float32)
    texts, whole = [""] * len(items), [True] * len(items)
    for start in range(0, len(order), batch_items):
        places = order[start : start + batch_items]
        batch = [items[i] for i in places]
        with torch.inference_mode():
            p_NK[places] = judge(batch).scores.probabilities_NK.float().cpu().numpy()
        if mode is Mode.FULL:
            for place, (text, p_K) in zip(places, _written(judge, batch), strict=True):
                texts[place], whole[place] = text, p_K is not None
                if p_K is not None:
                    p_NK[place] = p_K.cpu().numpy()
    return TextPredictions(p_NK, tuple(texts) if mode is Mode.FULL else None, tuple(whole))


def _written(judge: TextJudge, batch: Sequence[TextItem]) -> list[tuple[str, torch.Tensor | None]]:
    """The rationale of each item, and the distribution behind its cue, None without one."""
    tokenizer, lm, cue = judge.tokenizer, judge.language_model, judge.writer.score_cue
    writer = TextRollouts(tokenizer, choose=_greedy)
    completions, states = writer.write(
        lm,
        [judge.writer.prompt_ids(item) for item in batch],
        ends=frozenset({tokenizer.eos_token_id}),
        tokens_max=judge.form.rationale_tokens_max + len(cue) + 2,
    )
    finder = ScoreCue(tokenizer)
    digit_ids_K = torch.tensor(digit_token_ids(tokenizer), device=judge.device)
    found: list[tuple[str, torch.Tensor | None]] = []
    for ids, states_T in zip(completions, states, strict=True):
        place = finder.score_index(ids)
        if place is None:
            found.append((str(tokenizer.decode(ids, skip_special_tokens=True)), None))
            continue
        scores = digit_scores(lm.logits(states_T[place][None]), digit_ids_K)
        text = str(tokenizer.decode(ids[: place - len(cue)], skip_special_tokens=True))
        found.append((text, scores.probabilities_NK[0]))
    return found


def _greedy(_rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
    return [int(token) for token in logits_BV.argmax(-1)]
