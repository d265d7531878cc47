"""The picture judge: a vision-language model that looks at frames itself, behind `JudgeBackend`.

It reads the features of the encoder `frames`, the transcript if there is one, and the file's own
facts; it hears nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from encoders.types import MediaFeatures
from moderation.judge.artefact import ADAPTER_FOLDER, JudgeDescription, read_description
from moderation.judge.backbone import require_files
from moderation.judge.backbone_weights import merge_adapter
from moderation.judge.judgments import average, content_generators, judgment
from moderation.judge.picture_prompt import PicturePromptWriter
from moderation.judge.rationale import parse_rationale
from moderation.judge.score_head import digit_scores, digit_token_ids
from moderation.judge.vision_model import VisionModel, load_vision_model
from moderation.types import Judgment, Mode


class VisionLanguageJudge:
    """Judges the pictures of encoded items.

    model: transformers image-text-to-text model in eval mode, on its device. processor: its own.
    batch_items: items that run through the model at once.

    Raises:
        TokenizerError: a digit is not one token of its own.
        ConfigurationError: a processor without a chat template that takes pictures.
    """

    def __init__(
        self,
        description: JudgeDescription,
        *,
        model: Any,
        processor: Any,
        batch_items: int = 4,
    ) -> None:
        self.judge_id = description.judge_id
        self._description = description
        self._tokenizer = processor.tokenizer
        self._model = VisionModel(model, self._tokenizer)
        self._writer = PicturePromptWriter(processor, policy_text=description.policy_text)
        self._digit_ids_K = torch.tensor(
            digit_token_ids(self._tokenizer), device=self._model.device
        )
        self._batch_items = batch_items

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        *,
        backbone: Path,
        device: str = "cpu",
        backbone_files: Mapping[str, str] | None = None,
    ) -> "VisionLanguageJudge":
        """Load a judge from `folder`'s judge.json (and adapter/, if there is one).

        backbone: where the model lies. backbone_files: name -> SHA-256, where known already.

        Raises:
            ConfigurationError: the folder or the model is not what it should be.
        """
        description = read_description(folder)
        require_files(description.backbone_files, backbone, known=backbone_files)
        has_bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if has_bf16 else torch.float32
        model, processor = load_vision_model(backbone, dtype=dtype)
        if (folder / ADAPTER_FOLDER).is_dir():
            model = merge_adapter(model, folder / ADAPTER_FOLDER)
        return cls(description, model=model.to(device), processor=processor)

    def require_encoders(self, versions: Mapping[str, str]) -> None:
        """See `JudgeDescription.require_encoders`."""
        self._description.require_encoders(versions)

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        """See `JudgeBackend.judge`; `rationales` > 1 averages over that many sampled ones."""
        judged: list[Judgment] = []
        for start in range(0, len(batch), self._batch_items):
            items = batch[start : start + self._batch_items]
            judged += self._fast(items) if mode is Mode.FAST else self._full(items, rationales)
        return judged

    def _fast(self, items: Sequence[MediaFeatures]) -> list[Judgment]:
        rows = self._writer.write(items, self._writer.score_cue)
        scores = digit_scores(self._model.next_logits(rows), self._digit_ids_K)
        return [
            judgment(scores, n, mode=Mode.FAST, judge_id=self.judge_id) for n in range(len(items))
        ]

    def _full(self, items: Sequence[MediaFeatures], rationales: int) -> list[Judgment]:
        repeated = [item for item in items for _ in range(rationales)]
        rows = self._writer.write(repeated, self._writer.rationale_cue)
        written = self._model.write(
            rows,
            tokens_max=self._description.rationale_tokens_max,
            generators=content_generators(items, rationales) if rationales > 1 else (),
        )
        cued = rows.extended([(*tokens, *self._writer.score_cue) for tokens, _ in written])
        logits_NV = self._model.next_logits(cued)
        judgments = []
        for index, item in enumerate(items):
            mine = range(index * rationales, (index + 1) * rationales)
            finished = [n for n in mine if written[n][1]]
            if not finished:
                # A rationale cut off by its budget has no score of its own.
                judgments.append(self._unfinished(item, written[mine[0]][0]))
                continue
            each = digit_scores(logits_NV[finished], self._digit_ids_K)
            mean, nearest = average(each)
            rationale = parse_rationale(
                self._decode(written[finished[nearest]][0]), is_complete=True
            )
            judgments.append(
                judgment(mean, 0, mode=Mode.FULL, judge_id=self.judge_id, rationale=rationale)
            )
        return judgments

    def _unfinished(self, item: MediaFeatures, tokens: Sequence[int]) -> Judgment:
        fast = self._fast([item])[0]
        return Judgment(
            fast.digit_probabilities_K,
            fast.digit_mass,
            fast.expected_score,
            Mode.FULL,
            self.judge_id,
            parse_rationale(self._decode(tokens), is_complete=False),
        )

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))
