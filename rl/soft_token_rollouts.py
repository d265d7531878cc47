"""Rollouts of the soft-token judge, written by the code that serves it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from moderation.judge.language_model import Continuation, LanguageModel, Sampler
from moderation.judge.rationale import parse_rationale
from moderation.judge.stop_tokens import stop_token_ids
from moderation.types import Claim
from rl.evaluation.claimed_time import checked_overlap
from rl.sampling import sample
from rl.soft_token_policy import SoftTokenPolicy


class SoftTokenRollouts:
    """Writes rationales for `RealTrainer`, whose `rollout_func` it is.

    A completion is the rationale, the token that ended it, the rest of the score cue, the sampled
    digit and the end-of-text token; only what the model chose is credited. Rollouts of one item
    share the keys and values of its prompt.

    truth: key -> what was done to the item; claims are held against it. choose: draws the tokens.
    """

    def __init__(
        self,
        policy: SoftTokenPolicy,
        truth: Mapping[str, Sequence[Claim]],
        *,
        choose: Sampler = sample,
    ) -> None:
        self._body, self._truth, self._choose = policy.body, truth, choose
        judge = policy.body.judge
        self._tokenizer, self._writer = judge.tokenizer, judge.writer
        self._stop_ids = stop_token_ids(judge.tokenizer)

    @torch.no_grad()
    def __call__(self, prompts: list[str], trainer: Any) -> dict[str, list[Any] | None]:
        """Completions of prompts, which are keys of the policy's media; see `RealTrainer`.

        `media_row` is the item of each, `env_mask` 1 where the model chose the token,
        `claim_overlap` the checked overlap of its claims.
        """
        judge = self._body.judge
        was_training = judge.training
        judge.eval()
        rows = [self._body.row(key) for key in prompts]
        items = list(dict.fromkeys(rows))
        soft = judge.projector([self._body.features(row) for row in items])
        # A new one each time: its keys and values of the prefix are those of the current weights.
        lm = LanguageModel(judge.backbone.get_base_model(), self._writer.prefix)
        inputs, ids_of = [], {}
        for row, tokens in zip(items, soft, strict=True):
            prompt, tokens_ND = self._body.prompt(row), tokens.embeddings_ND
            text_TD = lm.embed((*prompt.item, *prompt.full_cue))
            inputs.append(torch.cat([tokens_ND.to(text_TD.dtype), text_TD]))
            places = [self._tokenizer.eos_token_id] * len(tokens_ND)
            ids_of[row] = [*prompt.prefix, *places, *prompt.item, *prompt.full_cue]
        written = lm.continue_until(
            inputs,
            choose=self._choose,
            is_stop=self._stop_ids.__contains__,
            score_cue=self._writer.score_cue,
            tokens_max=trainer.max_completion_length,
            prompt_B=[items.index(row) for row in rows],
        )
        judge.train(was_training)
        digits = self._digits(written)
        made = [self._completion(*one) for one in zip(written, digits, strict=True)]
        return {
            "prompt_ids": [ids_of[row] for row in rows],
            "completion_ids": [ids for ids, _, _ in made],
            "logprobs": None,
            "env_mask": [mask for _, mask, _ in made],
            "media_row": rows,
            "score_index": [index for _, _, index in made],
            "score_logits": [text.score_logits_V for text in written],
            "claim_overlap": [
                checked_overlap(self._claims(text), self._truth[key])
                for text, key in zip(written, prompts, strict=True)
            ],
        }

    def _claims(self, text: Continuation) -> tuple[Claim, ...]:
        decoded = self._tokenizer.decode(text.token_ids, skip_special_tokens=True)
        return parse_rationale(decoded, is_complete=text.stop_token is not None).claims

    def _digits(self, written: Sequence[Continuation]) -> list[int | None]:
        """The score token of each, None where it was cut off before."""
        logits = {
            n: t.score_logits_V for n, t in enumerate(written) if t.score_logits_V is not None
        }
        if not logits:
            return [None] * len(written)
        rows = list(logits)
        drawn = dict(zip(rows, self._choose(rows, torch.stack(list(logits.values()))), strict=True))
        return [drawn.get(n) for n in range(len(written))]

    def _completion(
        self, text: Continuation, digit: int | None
    ) -> tuple[list[int], list[int], int | None]:
        """Token ids, the mask of those that the model chose, and the place of the digit."""
        ids = list(text.token_ids)
        if text.stop_token is None or digit is None:
            return ids, [1] * len(ids), None
        cue_rest = list(self._writer.score_cue[1:])
        written = [*ids, text.stop_token, *cue_rest]
        mask = [1] * (len(ids) + 1) + [0] * len(cue_rest)
        return [*written, digit, self._tokenizer.eos_token_id], [*mask, 1, 0], len(written)
