"""A Hugging Face causal language model that continues from embeddings, with a shared prefix.

The prompt's first part is the same for every item: its keys and values are computed once and
expanded over the batch. Rows are padded on the right, so a row's values do not depend on its
neighbours' lengths. B items, T tokens, D width, V vocabulary.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils.logging import disable_progress_bar

from moderation.errors import ConfigurationError

KeysValues = tuple[tuple[torch.Tensor, torch.Tensor], ...]
Sampler = Callable[[int, torch.Tensor], int]
"""(row, its next-token logits_V) -> token id."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """token_ids: what the model wrote before the stop. score_logits_V: None if it never stopped."""

    token_ids: tuple[int, ...]
    score_logits_V: torch.Tensor | None


def load_backbone(path: str | Path, *, dtype: torch.dtype, layers: int | None = None) -> Any:
    """Causal LM from a local folder or hub id; `layers` keeps only the first ones.

    Raises:
        ConfigurationError: nothing there that transformers can load as a causal LM.
    """
    # Our own progress is on the same terminal.
    disable_progress_bar()
    changes = {} if layers is None else {"num_hidden_layers": layers}
    try:
        model = AutoModelForCausalLM.from_pretrained(str(path), dtype=dtype, **changes)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"no causal language model at {str(path)!r} ({error})",
            expected="a folder or hub id that transformers' AutoModelForCausalLM loads",
            remedy="Check the path, or run `moderation models pull`.",
        ) from error
    model.requires_grad_(False)
    return model.eval()


@contextmanager
def quiet_peft() -> Iterator[None]:
    """PEFT and TRL use names that this version of transformers has changed, and are told so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`(is_)?gradient_checkpointing", FutureWarning)
        yield


def merge_adapter(model: Any, folder: Path) -> Any:
    """The model with a LoRA adapter (PEFT's format) added into its weights."""
    from peft import PeftModel

    with quiet_peft():
        return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


def load_tokenizer(path: str | Path) -> Any:
    """The tokenizer that belongs to a backbone."""
    return AutoTokenizer.from_pretrained(str(path))


def pad_rows(rows_TD: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-pad (T_b, D) rows to (B, T, D); also (B, T) long, 1 where a token is."""
    padded_BTD = torch.nn.utils.rnn.pad_sequence(list(rows_TD), batch_first=True)
    lengths_B = torch.tensor([len(row) for row in rows_TD], device=padded_BTD.device)
    place_T = torch.arange(padded_BTD.shape[1], device=padded_BTD.device)
    return padded_BTD, (place_T < lengths_B[:, None]).long()


class LanguageModel:
    """Runs a causal LM over embeddings after a cached prefix.

    model: transformers causal LM, or a PEFT model around one. prefix_ids: the shared tokens.
    """

    def __init__(self, model: Any, prefix_ids: Sequence[int]) -> None:
        self._model = model
        self._prefix_ids = tuple(prefix_ids)
        self._prefix: KeysValues | None = None

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
    ) -> list[Continuation]:
        """Write after each row until a stop token, then read the logits behind `score_cue`.

        A row that stops is fed `score_cue` while the others go on writing, so one pass serves both.
        """
        hidden_BTD, mask_BT, cache = self._prefill(rows_TD)
        logits_BV = self.logits(_last(hidden_BTD, mask_BT))
        position_B = mask_BT.sum(1) + len(self._prefix_ids)
        mask_BT = self._with_prefix(mask_BT)
        written: list[list[int]] = [[] for _ in rows_TD]
        cue_fed: list[int | None] = [None] * len(rows_TD)
        scores: list[torch.Tensor | None] = [None] * len(rows_TD)
        pad = score_cue[0]
        for _ in range(tokens_max + len(score_cue) + 1):
            feed = [pad] * len(rows_TD)
            for row in range(len(rows_TD)):
                fed = cue_fed[row]
                if fed is None:
                    if len(written[row]) >= tokens_max:
                        continue
                    token = choose(row, logits_BV[row])
                    if is_stop(token):
                        fed = 0
                    else:
                        written[row].append(token)
                        feed[row] = token
                        continue
                if fed < len(score_cue):
                    feed[row] = score_cue[fed]
                    cue_fed[row] = fed + 1
                elif scores[row] is None:
                    scores[row] = logits_BV[row].clone()
            if all(
                score is not None or (fed is None and len(text) >= tokens_max)
                for score, fed, text in zip(scores, cue_fed, written, strict=True)
            ):
                break
            mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], 1)
            step_BTD = self.embed(feed)[:, None]
            hidden_BTD = self._run(step_BTD, mask_BT, position_B[:, None], cache)
            position_B = position_B + 1
            logits_BV = self.logits(hidden_BTD[:, -1])
        return [Continuation(tuple(ids), score) for ids, score in zip(written, scores, strict=True)]

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
        cache = DynamicCache()
        ids = self.embed(self._prefix_ids)[None]
        mask = torch.ones(ids.shape[:2], dtype=torch.long, device=ids.device)
        self._run(ids, mask, torch.arange(ids.shape[1], device=ids.device)[None], cache)
        return tuple((layer.keys, layer.values) for layer in cache.layers)


def _last(hidden_BTD: torch.Tensor, mask_BT: torch.Tensor) -> torch.Tensor:
    rows_B = torch.arange(len(hidden_BTD), device=hidden_BTD.device)
    return hidden_BTD[rows_B, mask_BT.sum(1) - 1]
