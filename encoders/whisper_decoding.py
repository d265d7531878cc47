"""openai-whisper's decoder over thinned encoder output, where a position stands for several.

A key that occurs m times adds m exp(q.k) to the softmax, as one key with log m added to its logit
does: so the decoder attends to the few positions that `whisper_layout` keeps, not to all 1500.
"""

from typing import Any

import torch
from torch.nn import functional
from whisper.decoding import DecodingTask
from whisper.model import MultiHeadAttention


class WeightedCrossAttention(MultiHeadAttention):  # type: ignore[misc]
    """Cross attention to positions that each stand for several; its weights are those of `plain`.

    Keys and values are computed when the positions are given, and lie as the attention reads them.
    """

    def __init__(self, plain: MultiHeadAttention) -> None:
        torch.nn.Module.__init__(self)
        self.n_head = plain.n_head
        self.query, self.key = plain.query, plain.key
        self.value, self.out = plain.value, plain.out

    def attend_to(self, encoded_BPD: torch.Tensor, bias_B11P: torch.Tensor) -> None:
        """From now on read these positions, with `bias_B11P` added to their logits."""
        self._keys_BHPE = self._heads(self.key(encoded_BPD)).contiguous()
        self._values_BHPE = self._heads(self.value(encoded_BPD)).contiguous()
        self._bias_B11P = bias_B11P

    def forward(self, x: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, None]:
        """(B, T, D) to (B, T, D); what else the decoder hands over was given to `attend_to`."""
        attended_BHTE = functional.scaled_dot_product_attention(
            self._heads(self.query(x)),
            self._keys_BHPE,
            self._values_BHPE,
            attn_mask=self._bias_B11P,
        )
        return self.out(attended_BHTE.transpose(1, 2).flatten(2)), None

    def _heads(self, values_BTD: torch.Tensor) -> torch.Tensor:
        rows, positions, _ = values_BTD.shape
        return values_BTD.view(rows, positions, self.n_head, -1).transpose(1, 2)


def weigh_cross_attention(decoder: Any) -> list[WeightedCrossAttention]:
    """Give a Whisper decoder weighted cross attention; returns it, a module a block."""
    for block in decoder.blocks:
        block.cross_attn = WeightedCrossAttention(block.cross_attn)
    return [block.cross_attn for block in decoder.blocks]


class EncodedDecodingTask(DecodingTask):  # type: ignore[misc]
    """Takes encoder output of any length; the base would take it for a spectrogram."""

    def _get_audio_features(self, mel: torch.Tensor) -> torch.Tensor:
        return mel

    def _detect_language(
        self, audio_features: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[list[str], None]:
        """The likeliest language token after the start of a transcript, a row each."""
        if self.options.language is not None:
            return [self.options.language] * len(tokens), None
        start = torch.full_like(tokens[:, :1], self.tokenizer.sot).to(audio_features.device)
        logits_BV = self.model.logits(start, audio_features)[:, 0]
        ids = list(self.tokenizer.all_language_tokens)
        chosen_B = logits_BV[:, ids].argmax(-1)
        tokens[:, self.sot_index + 1] = torch.tensor(ids)[chosen_B.cpu()]
        return [self.tokenizer.all_language_codes[int(k)] for k in chosen_B], None
