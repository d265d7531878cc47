"""A Hugging Face causal language model that continues from embeddings, with a shared prefix.

The prompt's first part is the same for every item: its keys and values are computed once and
expanded over the batch. Rows are padded on the right, so a row's values do not depend on its
neighbours' lengths. B items, T tokens, D width, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import Cache, DynamicCache

from moderation.judge.decoding import Decoding, keeps_all_tokens

KeysValues = tuple[tuple[torch.Tensor, torch.Tensor], ...]
Sampler = Callable[[Sequence[int], torch.Tensor], Sequence[int]]
"""(numbers of B rows, their next-token logits_BV) -> a token id for each."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """token_ids: what the model wrote before the stop.

    stop_token, score_logits_V: None if it never stopped.
    """

    token_ids: tuple[int, ...]
    stop_token: int | None
    score_logits_V: torch.Tensor | None


@dataclass(slots=True)
class _Row:
    """One row while it is written; cue_tokens: how many of the score cue were fed."""

    number: int
    written: list[int] = field(default_factory=list)
    stop: int | None = None
    cue_tokens: int = 0
    score_logits_V: torch.Tensor | None = None

    def take(self, token: int, *, is_stop: bool) -> None:
        """What was chosen."""
        if is_stop:
            self.stop = token
        else:
            self.written.append(token)

    def goes_on(self, tokens_max: int) -> bool:
        """Whether the model has to read another token of it."""
        if self.stop is None:
            return len(self.written) < tokens_max
        return self.score_logits_V is None

    def next_token(self, score_cue: Sequence[int]) -> int:
        """What the model reads next."""
        if self.stop is None:
            return self.written[-1]
        self.cue_tokens += 1
        return score_cue[self.cue_tokens - 1]


def pad_rows(rows_TD: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-pad (T_b, D) rows to (B, T, D); also (B, T) long, 1 where a token is."""
    padded_BTD = torch.nn.utils.rnn.pad_sequence(list(rows_TD), batch_first=True)
    lengths_B = torch.tensor([len(row) for row in rows_TD], device=padded_BTD.device)
    place_T = torch.arange(padded_BTD.shape[1], device=padded_BTD.device)
    return padded_BTD, (place_T < lengths_B[:, None]).long()


class LanguageModel:
    """Runs a causal LM over embeddings after a cached prefix.

    model: transformers causal LM. prefix_ids: the tokens that all rows begin with; may be none.
    """

    def __init__(self, model: Any, prefix_ids: Sequence[int]) -> None:
        self._model = model
        self._prefix_ids = tuple(prefix_ids)
        self._prefix: KeysValues | None = None
        # Half precision, heads that share keys and no mask: a processor takes six times as long.
        self._has_slow_attention = (
            model.dtype in (torch.bfloat16, torch.float16)
            and model.config._attn_implementation == "sdpa"
            and keeps_all_tokens(model.config)
        )

    def embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        """(T, D) embeddings of tokens."""
        device = self._model.get_input_embeddings().weight.device
        ids = torch.tensor(token_ids, dtype=torch.long, device=device)
        return self._model.get_input_embeddings()(ids)  # type: ignore[no-any-return]

    def next_logits(self, rows_TD: Sequence[torch.Tensor]) -> torch.Tensor:
        """(B, V) logits after the last token of each row."""
        hidden_BTD, mask_BT = self.hidden(rows_TD)
        return self.logits(_last(hidden_BTD, mask_BT))

    def hidden(self, rows_TD: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, D) last hidden states of right-padded rows, and the (B, T) mask of real tokens.

        With gradients enabled they flow into the prefix as well, which is then computed once a
        batch; without, its keys and values are kept from call to call.
        """
        hidden_BTD, mask_BT, _ = self._prefill(rows_TD)
        return hidden_BTD, mask_BT

    def logits(self, hidden_BD: torch.Tensor) -> torch.Tensor:
        """(..., D) hidden states to (..., V) float32 logits."""
        return self._model.get_output_embeddings()(hidden_BD).float()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def continue_until(
        self,
        rows_TD: Sequence[torch.Tensor],
        *,
        choose: Sampler,
        is_stop: Callable[[int], bool],
        score_cue: Sequence[int],
        tokens_max: int,
        prompt_B: Sequence[int] | None = None,
    ) -> list[Continuation]:
        """Write behind prompts until a stop token, then read the logits behind `score_cue`.

        A row that stops is fed `score_cue` while the others go on writing, and then leaves.
        prompt_B: the prompt that each row continues; one row each if None.
        """
        decoding = self.decode(rows_TD, prompt_B)
        writing = [_Row(row) for row in range(len(decoding.logits_BV))]
        every = tuple(writing)
        while writing:
            logits_BV = decoding.logits_BV
            places = [place for place, row in enumerate(writing) if row.stop is None]
            if places:
                of_those = logits_BV if len(places) == len(writing) else logits_BV[places]
                chosen = choose([writing[place].number for place in places], of_those)
                for place, token in zip(places, chosen, strict=True):
                    writing[place].take(token, is_stop=is_stop(token))
            for place, row in enumerate(writing):
                if row.stop is not None and row.cue_tokens == len(score_cue):
                    row.score_logits_V = logits_BV[place].clone()
            going = [place for place, row in enumerate(writing) if row.goes_on(tokens_max)]
            if len(going) < len(writing):
                writing = [writing[place] for place in decoding.keep(going)]
            if writing:
                decoding.feed([row.next_token(score_cue) for row in writing])
        return [Continuation(tuple(r.written), r.stop, r.score_logits_V) for r in every]

    @torch.inference_mode()
    def decode(
        self, rows_TD: Sequence[torch.Tensor], prompt_B: Sequence[int] | None = None
    ) -> Decoding:
        """Rows that go on from prompts, see `Decoding`; the prompts run through the model once."""
        hidden_BTD, mask_BT, cache = self._prefill(rows_TD)
        return Decoding(
            self._step,
            self.logits,
            hidden_ND=_last(hidden_BTD, mask_BT),
            mask_NT=self._with_prefix(mask_BT),
            position_N=mask_BT.sum(1) + len(self._prefix_ids),
            prompts=cache,
            prompt_B=range(len(rows_TD)) if prompt_B is None else prompt_B,
        )

    def _step(
        self, ids_B: torch.Tensor, mask_BT: torch.Tensor, position_B: torch.Tensor, cache: Cache
    ) -> torch.Tensor:
        embeds_B1D = self._model.get_input_embeddings()(ids_B)[:, None]
        if self._has_slow_attention and embeds_B1D.device.type == "cpu":
            # A mask of four dimensions is not left out where it masks nothing.
            mask_BT = mask_BT.bool()[:, None, None]
        return self._run(embeds_B1D, mask_BT, position_B[:, None], cache)[:, -1]

    def _prefill(
        self, rows_TD: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, DynamicCache]:
        embeds_BTD, mask_BT = pad_rows(rows_TD)
        cache = self._expanded_prefix(len(rows_TD))
        start = len(self._prefix_ids)
        position_BT = torch.arange(start, start + mask_BT.shape[1], device=mask_BT.device)
        full_mask = self._with_prefix(mask_BT)
        hidden = self._run(embeds_BTD, full_mask, position_BT.expand_as(mask_BT), cache)
        return hidden, mask_BT, cache

    def _run(
        self, embeds_BTD: torch.Tensor, mask: torch.Tensor, position: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        output = self._model.base_model(
            inputs_embeds=embeds_BTD,
            attention_mask=mask,
            position_ids=position,
            cache=cache,
            use_cache=True,
        )
        return output.last_hidden_state  # type: ignore[no-any-return]

    def _with_prefix(self, mask_BT: torch.Tensor) -> torch.Tensor:
        ones = mask_BT.new_ones(mask_BT.shape[0], len(self._prefix_ids))
        return torch.cat([ones, mask_BT], 1)

    def _expanded_prefix(self, rows: int) -> DynamicCache:
        if torch.is_grad_enabled():
            # Weights may change between calls, and gradients must reach this one.
            self._prefix, prefix = None, self._compute_prefix()
        else:
            prefix = self._prefix = self._prefix or self._compute_prefix()
        expanded = DynamicCache()
        for index, (keys, values) in enumerate(prefix):
            expanded.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), index)
        return expanded

    def _compute_prefix(self) -> KeysValues:
        if not self._prefix_ids:
            return ()
        cache = DynamicCache()
        ids = self.embed(self._prefix_ids)[None]
        mask = torch.ones(ids.shape[:2], dtype=torch.long, device=ids.device)
        self._run(ids, mask, torch.arange(ids.shape[1], device=ids.device)[None], cache)
        return tuple((layer.keys, layer.values) for layer in cache.layers)


def _last(hidden_BTD: torch.Tensor, mask_BT: torch.Tensor) -> torch.Tensor:
    rows_B = torch.arange(len(hidden_BTD), device=hidden_BTD.device)
    return hidden_BTD[rows_B, mask_BT.sum(1) - 1]
