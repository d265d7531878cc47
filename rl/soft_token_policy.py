"""The soft-token judge as a causal language model that TRL can train.

B rows, T tokens, D width of the language model, V vocabulary.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from encoders.types import MediaFeatures
from moderation.errors import ConfigurationError
from moderation.judge.prompt import PromptTokens
from moderation.judge.stop_tokens import stop_token_ids
from rl.judge_model import JudgeModel


class SoftTokenBody(nn.Module):
    """Everything below the output head: soft tokens into the prompt, then the backbone's layers.

    media: key -> features of every item that may be asked for.
    """

    _stop_ids: torch.Tensor

    def __init__(self, judge: JudgeModel, media: Mapping[str, MediaFeatures]) -> None:
        super().__init__()
        self.judge = judge
        self._media = tuple(media.values())
        self._row_of = {key: row for row, key in enumerate(media)}
        self._prompts: dict[int, PromptTokens] = {}
        stops = sorted(stop_token_ids(judge.tokenizer))
        self.register_buffer("_stop_ids", torch.tensor(stops), persistent=False)

    def row(self, key: str) -> int:
        """The number that stands for an item in `pixel_values`."""
        return self._row_of[key]

    def features(self, row: int) -> MediaFeatures:
        """Features of an item."""
        return self._media[row]

    def prompt(self, row: int) -> PromptTokens:
        """Tokens of an item's prompt; soft tokens stand between its prefix and the rest."""
        if row not in self._prompts:
            self._prompts[row] = self.judge.writer.write(self._media[row])
        return self._prompts[row]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        pixel_values: torch.Tensor,
        **_: Any,
    ) -> BaseModelOutputWithPast:
        """Last hidden states (B, T, D) of rows padded on either side.

        pixel_values: (B,) long, the item of each row, under the one name by which TRL carries media
        to a model. A row is prefix, places of the soft tokens (whatever ids), item, full cue and
        completion. The token that ends the rationale is read as the cue's first: serving, too,
        feeds the cue in its place.
        """
        rows = pixel_values.tolist()
        items = list(dict.fromkeys(rows))
        soft = self.judge.projector([self._media[row] for row in items])
        soft_of = dict(zip(items, soft, strict=True))
        start_B = attention_mask.argmax(1)
        lengths: list[int] = []
        at_row: list[int] = []
        at_place: list[int] = []
        values: list[torch.Tensor] = []
        for b, row in enumerate(rows):
            prompt, tokens_ND = self.prompt(row), soft_of[row].embeddings_ND
            first = int(start_B[b]) + len(prompt.prefix)
            at_row += [b] * len(tokens_ND)
            at_place += range(first, first + len(tokens_ND))
            values.append(tokens_ND)
            lengths.append(first + len(tokens_ND) + len(prompt.item) + len(prompt.full_cue))
        ids_BT = self._with_cue(input_ids, torch.tensor(lengths, device=input_ids.device))
        embeds_BTD = self.judge.backbone.get_input_embeddings()(ids_BT)
        place = (torch.tensor(at_row), torch.tensor(at_place))
        embeds_BTD = embeds_BTD.index_put(place, torch.cat(values).to(embeds_BTD.dtype))
        output: BaseModelOutputWithPast = self.judge.backbone.get_base_model().base_model(
            inputs_embeds=embeds_BTD,
            attention_mask=attention_mask,
            position_ids=(attention_mask.cumsum(1) - 1).clamp_min(0),
            use_cache=False,
        )
        return output

    def _with_cue(self, ids_BT: torch.Tensor, completion_B: torch.Tensor) -> torch.Tensor:
        """The first stop of each completion made the first token of the score cue."""
        place_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        is_stop_BT = torch.isin(ids_BT, self._stop_ids) & (place_T >= completion_B[:, None])
        is_first_BT = is_stop_BT & (is_stop_BT.cumsum(1) == 1)
        return ids_BT.masked_fill(is_first_BT, self.judge.writer.score_cue[0])


class SoftTokenPolicy(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """A `JudgeModel` under the interface of a transformers causal language model.

    Checkpoints hold what training changes, and nothing of the frozen backbone.

    Raises:
        ConfigurationError: an item without features, or with ones that are no numbers.
    """

    base_model_prefix = "body"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, judge: JudgeModel, media: Mapping[str, MediaFeatures]) -> None:
        for key, features in media.items():
            _require_finite(key, features)
        # A copy: the interface notes its own attention and pad token there.
        super().__init__(copy.deepcopy(judge.backbone.config))
        self.body = SoftTokenBody(judge, media)
        trained = {f"body.judge.{name}" for name in judge.trainable_state()}
        self._keys_to_ignore_on_save = set(self.state_dict()) - trained

    def get_input_embeddings(self) -> nn.Module:
        """Those of the backbone."""
        embeddings: nn.Module = self.body.judge.backbone.get_input_embeddings()
        return embeddings

    def get_output_embeddings(self) -> nn.Module:
        """The backbone's output head."""
        head: nn.Module = self.body.judge.backbone.get_output_embeddings()
        return head

    def get_decoder(self) -> nn.Module:
        """The backbone's, which reads embeddings."""
        decoder: nn.Module = self.body.judge.backbone.get_base_model().get_decoder()
        return decoder

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        pixel_values: torch.Tensor,
        **options: Any,
    ) -> CausalLMOutputWithPast:
        """(B, T, V) logits, see `SoftTokenBody.forward`."""
        output = self.body(input_ids, attention_mask, pixel_values, **options)
        return CausalLMOutputWithPast(logits=self.get_output_embeddings()(output.last_hidden_state))


def _require_finite(key: str, features: MediaFeatures) -> None:
    if not features.sequences:
        raise ConfigurationError(
            f"item {key} has no features",
            expected="a sequence of at least one encoder",
            remedy="Leave the row out, or encode it again.",
        )
    for sequence in features.sequences:
        for name, values in sequence.layers.items():
            if not np.isfinite(values).all():
                raise ConfigurationError(
                    f"{sequence.encoder} layer {name} of item {key} holds NaN or infinity",
                    expected="finite features",
                    remedy="Delete the corpus's folder features/ and the cache, then encode again.",
                )
