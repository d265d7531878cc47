"""A Hugging Face image-text-to-text model: logits behind prompts, and text written after them.

Only what every such model in transformers offers is used, so that none is special. B rows,
T tokens, D width, V vocabulary.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
)
from transformers.utils.logging import disable_progress_bar

from moderation.errors import ConfigurationError
from moderation.judge.picture_prompt import PictureRows
from moderation.judge.stop_tokens import stop_token_ids


def load_vision_model(path: Path, *, dtype: torch.dtype) -> tuple[Any, Any]:
    """Model (eval mode) and processor from a local folder.

    Raises:
        ConfigurationError: nothing there that transformers loads as such a model, or a package
            that its processor needs is not installed.
    """
    disable_progress_bar()
    try:
        processor = AutoProcessor.from_pretrained(str(path))
        model = AutoModelForImageTextToText.from_pretrained(str(path), dtype=dtype)
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"no vision-language model at {str(path)!r} ({error})",
            expected="a folder or hub id that transformers' AutoModelForImageTextToText loads",
            remedy="Check the name, or install the package that the message asks for.",
        ) from error
    model.requires_grad_(False)
    # A checkpoint's own may sample, or penalise repetition, which a ledger is full of.
    model.generation_config = GenerationConfig()
    return model.eval(), processor


class VisionModel:
    """Runs one model. model: in eval mode, on its device. tokenizer: its processor's."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        # A placeholder of a picture is an added token too, and must never be written.
        self._stop_ids = sorted(stop_token_ids(tokenizer) | set(tokenizer.added_tokens_decoder))
        pad_id = tokenizer.pad_token_id
        # A pad is masked: any token will do where the tokenizer names none.
        self._pad_id = self._stop_ids[0] if pad_id is None else pad_id

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return torch.device(self._model.device)

    @torch.inference_mode()
    def next_logits(self, rows: PictureRows) -> torch.Tensor:
        """(B, V) float32 logits after the last token of each row."""
        inputs = self._inputs(rows, on_left=False)
        # Without the head over all positions, which is most of the memory of a long prompt.
        hidden_BTD = self._model.base_model(**inputs, use_cache=False).last_hidden_state
        last_B = inputs["attention_mask"].sum(1) - 1
        hidden_BD = hidden_BTD[torch.arange(len(last_B), device=last_B.device), last_B]
        return self._model.get_output_embeddings()(hidden_BD).float()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def write(
        self, rows: PictureRows, *, tokens_max: int, generators: Sequence[torch.Generator] = ()
    ) -> list[tuple[tuple[int, ...], bool]]:
        """What the model writes after each row, without its stop, and whether it came to one.

        tokens_max: longest text. generators: one a row, from which its tokens are drawn; without
        them every token is the likeliest.
        """
        sampling = LogitsProcessorList([GumbelNoise(generators)] if generators else [])
        inputs = self._inputs(rows, on_left=True)
        written_BT = self._model.generate(
            **inputs,
            # One token more: a rationale that fills its budget may still stop behind it.
            max_new_tokens=tokens_max + 1,
            do_sample=False,
            eos_token_id=self._stop_ids,
            pad_token_id=self._pad_id,
            logits_processor=sampling,
        )[:, inputs["input_ids"].shape[1] :]
        stops = set(self._stop_ids)
        return [_until_stop(row_T.tolist(), stops, tokens_max) for row_T in written_BT]

    def _inputs(self, rows: PictureRows, *, on_left: bool) -> dict[str, Any]:
        inputs = rows.inputs(pad_id=self._pad_id, on_left=on_left, device=self.device)
        return {
            name: value.to(self._model.dtype) if value.is_floating_point() else value
            for name, value in inputs.items()
        }


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]
    """Makes the greedy choice a sample of the softmax: argmax(logits + Gumbel noise).

    Each row has a generator of its own, which `generate` does not offer. Source: the Gumbel-max
    trick (Gumbel, 1954; arXiv:1411.0030).
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self._generators = generators

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        uniform_BV = torch.stack(
            [
                torch.rand(scores.shape[1], generator=g, dtype=torch.float64)
                for g in self._generators
            ]
        )
        noise_BV = -(-uniform_BV.clamp_min(1e-300).log()).log()
        return scores.double() + noise_BV.to(scores.device)


def _until_stop(
    tokens: Sequence[int], stops: set[int], tokens_max: int
) -> tuple[tuple[int, ...], bool]:
    end = next((place for place, token in enumerate(tokens) if token in stops), None)
    return tuple(tokens[: tokens_max if end is None else end]), end is not None
