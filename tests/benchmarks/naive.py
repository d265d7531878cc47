"""The way one would write it first: a file at a time, 30 s of padded audio, `generate`.

Same weights, same features' definition, no batches, no shared prefix, nothing decoded ahead.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from encoders.clip import ClipEncoder
from encoders.forensic import ForensicEncoder
from encoders.whisper import WhisperEncoder
from moderation.app import STARTER_JUDGE, build_weights
from moderation.extraction import Extractor
from moderation.judge.artefact import read_description
from moderation.judge.soft_token import SoftTokenJudge
from moderation.settings import Settings
from moderation.types import Mode


class NaiveScorer:
    """Scores one item at a time with Hugging Face's `generate`."""

    def __init__(self, settings: Settings, extractor: Extractor) -> None:
        weights = build_weights(settings)
        self._description = read_description(STARTER_JUDGE)
        backbone = weights.path(self._description.backbone)
        # The judge's own parts (projector, prompt, merged model), without its batching or cache.
        self._judge: Any = SoftTokenJudge.from_folder(STARTER_JUDGE, backbone=backbone)
        self._model = self._judge._lm._model
        self._extractor = Extractor(
            extractor.source,
            (
                ClipEncoder(weights=weights),
                WhisperEncoder(weights=weights, thinning=None),
                ForensicEncoder(),
            ),
            extractor.request,
            extractor.plan_id,
        )

    def score(self, paths: Sequence[Path], mode: Mode) -> list[float]:
        """Expected scores, one file after the other."""
        return [self._score(path, mode) for path in paths]

    @torch.inference_mode()
    def _score(self, path: Path, mode: Mode) -> float:
        (features,) = self._extractor.encode([self._extractor.decode(path)])
        (row_TD,) = self._judge._rows([features], mode)
        prefix_TD = self._judge._lm.embed(self._judge._writer.prefix)
        embeds = torch.cat([prefix_TD, row_TD])[None]
        if mode is Mode.FULL:
            written = self._generate(embeds, self._description.rationale_tokens_max).sequences
            text_TD = self._judge._lm.embed([*written[0].tolist(), *self._judge._writer.score_cue])
            embeds = torch.cat([embeds[0], text_TD])[None]
        logits = self._generate(embeds, 1).logits[0][0]
        digits = logits[self._judge._digit_ids_K].softmax(-1)
        return float(digits @ torch.arange(10.0))

    def _generate(self, embeds: torch.Tensor, tokens: int) -> Any:
        return self._model.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long),
            max_new_tokens=tokens,
            do_sample=False,
            stop_strings=["\n"] if tokens > 1 else None,
            tokenizer=self._judge._tokenizer,
            pad_token_id=0,
            return_dict_in_generate=True,
            output_logits=True,
        )
