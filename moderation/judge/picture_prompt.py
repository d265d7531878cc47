"""What a vision-language model is told: policy, dated pictures, fenced text, the question.

The model's own processor places the pictures. What comes from the file is tokenised apart from
it, without special tokens, and set in afterwards: no text can bring a picture or a turn of its
own. B rows, T tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image

from encoders.frames import NAME, pictures
from encoders.types import FeatureSequence, MediaFeatures, Modality
from moderation.errors import ConfigurationError, JudgeError
from moderation.judge.prompt import RATIONALE_CUE, describe
from moderation.judge.score_head import SCORE_CUE

_MARKER = "\N{OBJECT REPLACEMENT CHARACTER}"
_TYPES = "mm_token_type_ids"


@dataclass(frozen=True, slots=True)
class PictureRows:
    """Prompts of unequal length, and the pictures of all of them as the model takes them.

    types: what each token stands for (0 is text), or None where the model does not ask.
    media: arguments of the model's forward; their order is that of the rows.
    """

    ids: tuple[tuple[int, ...], ...]
    types: tuple[tuple[int, ...], ...] | None
    media: Mapping[str, torch.Tensor]

    def extended(self, suffixes: Sequence[Sequence[int]]) -> "PictureRows":
        """The same rows with text tokens behind each."""
        ids = tuple((*row, *more) for row, more in zip(self.ids, suffixes, strict=True))
        types = self.types and tuple(
            (*row, *(0 for _ in more)) for row, more in zip(self.types, suffixes, strict=True)
        )
        return replace(self, ids=ids, types=types)

    def inputs(self, *, pad_id: int, on_left: bool, device: torch.device) -> dict[str, Any]:
        """Arguments of the model: (B, T) ids and mask, padded on one side, and the pictures."""
        side = "left" if on_left else "right"

        def padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
            return torch.nn.utils.rnn.pad_sequence(
                [torch.tensor(row) for row in rows],
                batch_first=True,
                padding_value=value,
                padding_side=side,
            ).to(device)

        given = {
            "input_ids": padded(self.ids, pad_id),
            "attention_mask": padded([[1] * len(row) for row in self.ids], 0),
        }
        if self.types is not None:
            given[_TYPES] = padded(self.types, 0)
        return {**given, **{name: value.to(device) for name, value in self.media.items()}}


class PicturePromptWriter:
    """Turns items into rows with one model's processor, chat template included.

    Raises:
        ConfigurationError: the processor has no chat template, or drops part of the message.
    """

    def __init__(self, processor: Any, *, policy_text: str) -> None:
        if not processor.chat_template:
            raise ConfigurationError(
                "the processor has no chat template",
                expected="an instruction-tuned vision-language model",
                remedy="Choose such a model, or put chat_template.jinja into its folder.",
            )
        self._processor = processor
        self._policy_text = policy_text
        self._added = frozenset(processor.tokenizer.added_tokens_decoder)
        self.score_cue = self._ids(SCORE_CUE)
        self.rationale_cue = self._ids(RATIONALE_CUE)

    def write(self, items: Sequence[MediaFeatures], cue: Sequence[int]) -> PictureRows:
        """Rows that end with `cue`.

        Raises:
            JudgeError: an item has no pictures.
        """
        sequences = [_frames(item) for item in items]
        framed = [self._frame(sequence) for sequence in sequences]
        processed = self._processor(
            text=[before for before, _ in framed],
            images=[[Image.fromarray(p) for p in pictures(s)] for s in sequences],
            padding=True,
            add_special_tokens=False,
            return_tensors="pt",
        )
        mask_BT = processed.pop("attention_mask").bool()
        ids = _unpadded(processed.pop("input_ids"), mask_BT)
        types = _unpadded(processed.pop(_TYPES), mask_BT) if _TYPES in processed else None
        tails = [
            (*self._untrusted(item), *self._ids(after), *cue)
            for item, (_, after) in zip(items, framed, strict=True)
        ]
        return PictureRows(ids, types, dict(processed)).extended(tails)

    def _frame(self, sequence: FeatureSequence) -> tuple[str, str]:
        """The message before and behind the place of the untrusted text."""
        content: list[dict[str, str]] = []
        for seconds in sequence.start_seconds_N:
            if sequence.modality is Modality.VIDEO:
                content.append({"type": "text", "text": f"{seconds:.1f} s: "})
            content.append({"type": "image"})
        content.append({"type": "text", "text": _MARKER})
        messages = [
            {"role": "system", "content": [{"type": "text", "text": self._policy_text}]},
            {"role": "user", "content": content},
        ]
        text = self._processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        before, found, after = str(text).partition(_MARKER)
        if not found or self._policy_text not in before:
            raise ConfigurationError(
                "the processor's chat template drops the policy or the question",
                expected="a template that writes system and user turns of text and images",
                remedy="Correct chat_template.jinja in the model's folder.",
            )
        return before, after

    def _untrusted(self, item: MediaFeatures) -> tuple[int, ...]:
        tokens = self._processor.tokenizer.encode(
            "\n" + describe(item), add_special_tokens=False, split_special_tokens=True
        )
        # Added tokens that are not marked special are recognised all the same.
        return tuple(token for token in tokens if token not in self._added)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._processor.tokenizer.encode(text, add_special_tokens=False))


def _frames(item: MediaFeatures) -> FeatureSequence:
    for sequence in item.sequences:
        if sequence.encoder == NAME:
            return sequence
    raise JudgeError(
        f"no pictures in item {item.metadata.sha256[:12]}",
        expected=f"features of the encoder {NAME!r}, of a picture or a film",
        remedy=f"Add {NAME} to MODERATION_ENCODERS; sound alone needs another judge.",
    )


def _unpadded(rows_BT: torch.Tensor, mask_BT: torch.Tensor) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(row_T[mask_T].tolist()) for row_T, mask_T in zip(rows_BT, mask_BT, strict=True)
    )
