"""Rollouts of the soft-token judge, written by the code that serves it."""

from typing import Any

import torch

from moderation.judge.language_model import Continuation, LanguageModel
from moderation.judge.stop_tokens import stop_token_ids
from rl.soft_token_policy import SoftTokenPolicy


class SoftTokenRollouts:
    """Writes rationales for `RealTrainer`, whose `rollout_func` it is.

    A completion is the rationale, the token that ended it, the rest of the score cue, the sampled
    digit and the end-of-text token; only what the model chose is credited.
    """

    def __init__(self, policy: SoftTokenPolicy) -> None:
        self._body = policy.body
        judge = policy.body.judge
        self._tokenizer, self._writer = judge.tokenizer, judge.writer
        self._stop_ids = stop_token_ids(judge.tokenizer)

    @torch.no_grad()
    def __call__(self, prompts: list[str], trainer: Any) -> dict[str, list[Any] | None]:
        """Completions of prompts, which are keys of the policy's media; see `RealTrainer`.

        `media_row` is the item of each, `env_mask` 1 where the model chose the token.
        """
        judge = self._body.judge
        was_training = judge.training
        judge.eval()
        rows = [self._body.row(key) for key in prompts]
        items = list(dict.fromkeys(rows))
        soft = judge.projector([self._body.features(row) for row in items])
        soft_of = dict(zip(items, soft, strict=True))
        # A new one each time: its keys and values of the prefix are those of the current weights.
        lm = LanguageModel(judge.backbone.get_base_model(), self._writer.prefix)
        inputs, prompt_ids = [], []
        for row in rows:
            prompt, tokens_ND = self._body.prompt(row), soft_of[row].embeddings_ND
            text_TD = lm.embed((*prompt.item, *prompt.full_cue))
            inputs.append(torch.cat([tokens_ND.to(text_TD.dtype), text_TD]))
            places = [self._tokenizer.eos_token_id] * len(tokens_ND)
            prompt_ids.append([*prompt.prefix, *places, *prompt.item, *prompt.full_cue])
        chosen = [0] * len(rows)

        def choose(row: int, logits_V: torch.Tensor) -> int:
            chosen[row] = _sample(logits_V)
            return chosen[row]

        written = lm.continue_until(
            inputs,
            choose=choose,
            is_stop=self._stop_ids.__contains__,
            score_cue=self._writer.score_cue,
            tokens_max=trainer.max_completion_length,
        )
        judge.train(was_training)
        made = [self._completion(*one) for one in zip(written, chosen, strict=True)]
        return {
            "prompt_ids": prompt_ids,
            "completion_ids": [ids for ids, _, _ in made],
            "logprobs": None,
            "env_mask": [mask for _, mask, _ in made],
            "media_row": rows,
            "score_index": [index for _, _, index in made],
            "score_logits": [text.score_logits_V for text in written],
        }

    def _completion(self, text: Continuation, stop: int) -> tuple[list[int], list[int], int | None]:
        """Token ids, the mask of those that the model chose, and the place of the digit."""
        ids = list(text.token_ids)
        if text.score_logits_V is None:
            return ids, [1] * len(ids), None
        cue_rest = list(self._writer.score_cue[1:])
        written = [*ids, stop, *cue_rest]
        mask = [1] * (len(ids) + 1) + [0] * len(cue_rest)
        digit, end = _sample(text.score_logits_V), self._tokenizer.eos_token_id
        return [*written, digit, end], [*mask, 1, 0], len(written)


def _sample(logits_V: torch.Tensor) -> int:
    return int(torch.multinomial(logits_V.float().softmax(-1), 1))
