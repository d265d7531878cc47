"""Rollouts of a text judge: prompts run once for all of their rollouts, finished rows leave."""

from collections.abc import Sequence
from typing import Any

import torch

from moderation.judge.language_model import LanguageModel, Sampler
from moderation.judge.score_head import SCORE_CUE
from rl.sampling import sample
from rl.score_cue import ScoreCue


class TextRollouts:
    """Writes completions for `RealTrainer`, whose `rollout_func` it is, in place of TRL.

    A completion ends with an end-of-text token, or at the longest length. The score is the token
    behind the first cue, see `ScoreCue`; its logits come from the states of generation.

    tokenizer, score_cue: those of the trainer. choose: draws the tokens.

    Raises:
        TokenizerError: a digit behind the cue is not one token.
    """

    def __init__(
        self, tokenizer: Any, *, score_cue: str = SCORE_CUE, choose: Sampler = sample
    ) -> None:
        self._cue, self._choose = ScoreCue(tokenizer, score_cue), choose

    @torch.no_grad()
    def __call__(self, prompts: list[Any], trainer: Any) -> dict[str, list[Any] | None]:
        """Completions of prompts, plain or conversational as TRL takes them; see `RealTrainer`."""
        prompt_ids, _, _ = trainer._tokenize_prompts(prompts)
        model = trainer.accelerator.unwrap_model(trainer.model)
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        was_training = model.training
        # Recomputed activations, which only training has, would forbid the cache.
        model.eval()
        lm = LanguageModel(inner, ())
        completions, states = self.write(
            lm,
            prompt_ids,
            ends=frozenset(trainer.eos_token_ids),
            tokens_max=trainer.max_completion_length,
        )
        model.train(was_training)
        places = [self._cue.score_index(ids) for ids in completions]
        scored = {n: place for n, place in enumerate(places) if place is not None}
        logits: list[torch.Tensor | None] = [None] * len(places)
        if scored:
            states_SD = torch.stack([states[n][place] for n, place in scored.items()])
            for n, logits_V in zip(scored, lm.logits(states_SD), strict=True):
                logits[n] = logits_V
        return {
            "prompt_ids": prompt_ids,
            "completion_ids": completions,
            "logprobs": None,
            "score_index": places,
            "score_logits": logits,
        }

    @torch.inference_mode()
    def write(
        self,
        lm: LanguageModel,
        prompt_ids: Sequence[Sequence[int]],
        *,
        ends: frozenset[int],
        tokens_max: int,
    ) -> tuple[list[list[int]], list[list[torch.Tensor]]]:
        """Completions, and the state (D,) that predicts each of their tokens."""
        keys = [tuple(ids) for ids in prompt_ids]
        place_of = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        decoding = lm.decode([lm.embed(key) for key in place_of], [place_of[key] for key in keys])
        completions: list[list[int]] = [[] for _ in keys]
        states: list[list[torch.Tensor]] = [[] for _ in keys]
        rows = list(range(len(keys)))
        for length in range(1, tokens_max + 1):
            chosen = list(self._choose(rows, decoding.logits_BV))
            for row, token, state_D in zip(rows, chosen, decoding.hidden_BD, strict=True):
                completions[row].append(token)
                states[row].append(state_D)
            going = [place for place, token in enumerate(chosen) if token not in ends]
            if not going or length == tokens_max:
                break
            if len(going) < len(rows):
                order = decoding.keep(going)
                rows, chosen = [rows[n] for n in order], [chosen[n] for n in order]
            decoding.feed(chosen)
        return completions, states
