"""Rows of a batch that are continued a token at a time, and leave it as they finish.

B rows of the present batch, T tokens, D width, V vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM_TOKENS = 64

Step = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Cache], torch.Tensor]
"""(token_ids_B, mask_BT, position_B, cache) -> (B, D) hidden states."""


def keeps_all_tokens(config: Any) -> bool:
    """Whether every layer of a decoder attends to all tokens, with no window and no other state.

    config: transformers' configuration of the model.
    """
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=config).layers)


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer, written in place, so that a token does not copy all before it.

    Not for gradients: what `update` returned changes with the next one.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._room: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values (B, heads, T, width of a head), the new ones at the end."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if self._room is None or end > self._room[0].shape[-2]:
            self._enlarge(key_states, value_states, begin, end + ROOM_TOKENS)
        assert self._room is not None  # noqa: S101 - it was made above
        keys, values = self._room
        keys[..., begin:end, :], values[..., begin:end, :] = key_states, value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    def keep(self, order: torch.Tensor) -> None:
        """Only these rows, in this order; see `Decoding.keep`."""
        assert self._room is not None  # noqa: S101 - nobody leaves before the prompt is there
        place = torch.arange(len(order), device=order.device)
        moved = (order != place).nonzero()[:, 0]
        for room in self._room:
            room[moved] = room[order[moved]]
        end = self.keys.shape[-2]
        keys, values = (room[: len(order)] for room in self._room)
        self._room = keys, values
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]

    def _enlarge(self, keys: torch.Tensor, values: torch.Tensor, used: int, tokens: int) -> None:
        rooms = []
        for new, old in ((keys, self.keys), (values, self.values)):
            room = new.new_empty(*new.shape[:-2], tokens, new.shape[-1])
            if used:
                room[..., :used, :] = old
            rooms.append(room)
        self._room = rooms[0], rooms[1]


class Decoding:
    """Hidden states and next-token logits of rows that go on from prompts.

    step: runs the model over one more token a row. logits: its output head. hidden_ND, mask_NT,
    position_N: the prompts' last states, masks (prefix included) and next positions; prompts: their
    keys and values. prompt_B: the prompt that each row continues; rows of one prompt share what was
    computed for it.
    """

    def __init__(
        self,
        step: Step,
        logits: Callable[[torch.Tensor], torch.Tensor],
        *,
        hidden_ND: torch.Tensor,
        mask_NT: torch.Tensor,
        position_N: torch.Tensor,
        prompts: Cache,
        prompt_B: Sequence[int],
    ) -> None:
        self._step, self._logits = step, logits
        source_B = torch.tensor(list(prompt_B), device=hidden_ND.device)
        self.hidden_BD = hidden_ND[source_B]
        # The rows of a prompt have the same next token before them, so the head runs once for it.
        self.logits_BV = logits(hidden_ND)[source_B]
        self._mask_BT, self._position_B = mask_NT[source_B], position_N[source_B]
        self._cache = Cache(layer_class_to_replicate=GrowingLayer)
        for index, layer in enumerate(prompts.layers):
            self._cache.update(layer.keys[source_B], layer.values[source_B], index)

    @torch.inference_mode()
    def feed(self, token_ids: Sequence[int]) -> None:
        """One token to each row."""
        ids_B = torch.tensor(list(token_ids), device=self._mask_BT.device)
        ones_B1 = self._mask_BT.new_ones(len(ids_B), 1)
        self._mask_BT = torch.cat([self._mask_BT, ones_B1], 1)
        self.hidden_BD = self._step(ids_B, self._mask_BT, self._position_B, self._cache)
        self.logits_BV = self._logits(self.hidden_BD)
        self._position_B = self._position_B + 1

    @torch.inference_mode()
    def keep(self, places: Sequence[int]) -> list[int]:
        """Only these rows go on; the place that each had before, in their new order.

        The last ones fill the gaps, so that few keys and values move.
        """
        stay = {place for place in places if place < len(places)}
        late = iter(place for place in places if place >= len(places))
        order = [place if place in stay else next(late) for place in range(len(places))]
        order_B = torch.tensor(order, dtype=torch.long, device=self._mask_BT.device)
        for layer in self._cache.layers:
            layer.keep(order_B)
        self.hidden_BD, self.logits_BV = self.hidden_BD[order_B], self.logits_BV[order_B]
        self._mask_BT, self._position_B = self._mask_BT[order_B], self._position_B[order_B]
        return order
