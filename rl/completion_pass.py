"""A forward pass of the loss that computes what completions need, and a prompt once.

The rollouts of a group have the same prompt: it runs through the model once, with gradients, and
all of its completions attend to its keys and values. B rollouts, N distinct prompts, P prompt
tokens, C completion tokens, S of all completion tokens that are no padding, D width.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer
from transformers.modeling_outputs import BaseModelOutputWithPast

from moderation.judge.decoding import keeps_all_tokens


class PromptLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of N prompts in one layer, put before those of B completions.

    Nothing of the completions is kept, so that a layer's keys and values end with its attention.
    """

    def __init__(self, prompt: Any, prompt_B: torch.Tensor) -> None:
        super().__init__()
        self.lazy_initialization(prompt.keys, prompt.values)
        self.keys, self.values, self._prompt_B = prompt.keys, prompt.values, prompt_B

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values (B, heads, P + C, width of a head)."""
        return (
            torch.cat([self.keys[self._prompt_B], key_states], -2),
            torch.cat([self.values[self._prompt_B], value_states], -2),
        )


@dataclass(slots=True)
class _Pass:
    """prompt_B: index of each rollout's prompt among the distinct ones. first_N: a rollout of each.

    is_token_BC: False where a completion is padded. is_shared: prompts run apart from completions.
    """

    prompt_tokens: int
    prompt_B: torch.Tensor
    first_N: torch.Tensor
    is_token_BC: torch.Tensor
    is_shared: bool
    prompt_end_ND: torch.Tensor | None = None
    states_BCD: torch.Tensor | None = None


class CompletionPass:
    """Changes the passes of a causal language model's decoder while it is asked to.

    model: transformers causal LM, or a PEFT model around one. Left-padded prompts, then
    right-padded completions.
    """

    def __init__(self, model: Any) -> None:
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._decoder = inner.get_decoder()
        self._can_share = keeps_all_tokens(self._decoder.config)
        self._pass: _Pass | None = None
        self._decoder.register_forward_pre_hook(self._before, with_kwargs=True)
        self._decoder.register_forward_hook(self._after)

    @contextmanager
    def of(self, is_token_BC: torch.Tensor, prompts: Sequence[Any]) -> Iterator[list[torch.Tensor]]:
        """Within, one pass gives states (1, S, D): of each completion token, the one before it.

        prompts: one a rollout; equal ones have equal tokens, masks and media. Fills a list with the
        same states as (B, C, D).
        """
        place_of = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
        first = {place_of[prompt]: row for row, prompt in reversed(list(enumerate(prompts)))}
        is_recomputed = self._decoder.is_activation_checkpointing and self._decoder.training
        made = self._pass = _Pass(
            prompt_tokens=0,
            prompt_B=torch.tensor([place_of[p] for p in prompts], device=is_token_BC.device),
            first_N=torch.tensor([first[n] for n in range(len(first))], device=is_token_BC.device),
            is_token_BC=is_token_BC,
            is_shared=self._can_share and not is_recomputed and len(first) < len(prompts),
        )
        states: list[torch.Tensor] = []
        try:
            yield states
        finally:
            self._pass = None
        assert made.states_BCD is not None  # noqa: S101 - there was a pass
        states.append(made.states_BCD)

    def _before(
        self, decoder: Any, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        made = self._pass
        if made is None:
            return None
        tokens = made.is_token_BC.shape[1]
        given = _Inputs.read(options)
        made.prompt_tokens = given.mask.shape[1] - tokens
        if not made.is_shared:
            return arguments, options | {"position_ids": given.position}
        prompt = given.part(made.first_N, slice(made.prompt_tokens))
        # The inner pass is of whole prompts, and none of this one's business.
        self._pass, cache = None, DynamicCache()
        try:
            output = decoder(**options | prompt | {"cache": cache, "use_cache": True})
        finally:
            self._pass = made
        made.prompt_end_ND = output.last_hidden_state[:, -1]
        rows = slice(None)
        rest = given.part(rows, slice(made.prompt_tokens, None)) | {"attention_mask": given.mask}
        shared = Cache(layers=[PromptLayer(layer, made.prompt_B) for layer in cache.layers])
        return arguments, options | rest | {"cache": shared, "use_cache": True}

    def _after(self, _decoder: Any, _inputs: Any, output: Any) -> Any:
        made = self._pass
        if made is None:
            return None
        hidden_BTD = output.last_hidden_state
        if made.prompt_end_ND is None:
            made.states_BCD = hidden_BTD[:, made.prompt_tokens - 1 : -1]
        else:
            before_BD = made.prompt_end_ND[made.prompt_B]
            made.states_BCD = torch.cat([before_BD[:, None], hidden_BTD[:, :-1]], 1)
        states_SD = made.states_BCD[made.is_token_BC]
        return BaseModelOutputWithPast(last_hidden_state=states_SD[None])


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a decoder is given. values: ids (B, T) or embeddings (B, T, D), called `name` there."""

    name: str
    values: torch.Tensor
    mask: torch.Tensor
    position: torch.Tensor

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> "_Inputs":
        """Without positions of its own, a row's tokens are counted from nought."""
        name = "input_ids" if options.get("inputs_embeds") is None else "inputs_embeds"
        mask, position = options["attention_mask"], options.get("position_ids")
        if position is None:
            position = (mask.cumsum(1) - 1).clamp_min(0)
        return cls(name, options[name], mask, position)

    def part(self, rows: Any, tokens: slice) -> dict[str, torch.Tensor]:
        """Some of the rows and tokens, as the decoder takes them."""
        return {
            self.name: self.values[rows, tokens],
            "attention_mask": self.mask[rows, tokens],
            "position_ids": self.position[rows, tokens],
        }
