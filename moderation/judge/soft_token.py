"""The soft-token judge: media features, a prompt and a language model, behind `JudgeBackend`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from encoders.types import MediaFeatures
from moderation.errors import JudgeError
from moderation.judge.artefact import (
    ADAPTER_FOLDER,
    LAYERS_FILE,
    PROJECTORS_FILE,
    JudgeDescription,
    read_description,
)
from moderation.judge.backbone import require_files
from moderation.judge.backbone_weights import (
    load_backbone,
    load_tokenizer,
    merge_adapter,
    replace_layers,
)
from moderation.judge.judgments import average, content_generators, judgment
from moderation.judge.language_model import Continuation, LanguageModel, Sampler
from moderation.judge.prompt import PromptWriter
from moderation.judge.rationale import parse_rationale
from moderation.judge.score_head import digit_scores, digit_token_ids
from moderation.judge.soft_tokens import SoftTokenProjector
from moderation.judge.stop_tokens import is_stop_token
from moderation.types import Judgment, Mode, Rationale


class SoftTokenJudge:
    """Judges encoded items with a trained projector, a backbone and its LoRA adapter.

    model: transformers causal LM with the adapter merged, in eval mode, on its device.
    batch_items: items that run through the model at once.
    """

    def __init__(
        self,
        description: JudgeDescription,
        *,
        model: Any,
        tokenizer: Any,
        projector: SoftTokenProjector,
        batch_items: int = 16,
    ) -> None:
        self.judge_id = description.judge_id
        self._description = description
        self._tokenizer = tokenizer
        self._projector = projector.eval()
        self._writer = PromptWriter(tokenizer, policy_text=description.policy_text)
        self._lm = LanguageModel(model, self._writer.prefix)
        device = model.get_input_embeddings().weight.device
        self._digit_ids_K = torch.tensor(digit_token_ids(tokenizer), device=device)
        self._batch_items = batch_items

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        *,
        backbone: Path,
        device: str = "cpu",
        backbone_files: Mapping[str, str] | None = None,
    ) -> "SoftTokenJudge":
        """Load a judge that training wrote; `backbone` is where its language model lies.

        backbone_files: name -> SHA-256, where these are known already; else they are read.

        Raises:
            ConfigurationError: the folder or the backbone is not what it should be.
        """
        description = read_description(folder)
        require_files(description.backbone_files, backbone, known=backbone_files)
        has_bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if has_bf16 else torch.float32
        model = load_backbone(backbone, dtype=torch.float32, layers=description.backbone_layers)
        if LAYERS_FILE in description.files:
            replace_layers(model, folder / LAYERS_FILE)
        if (folder / ADAPTER_FOLDER).is_dir():
            model = merge_adapter(model, folder / ADAPTER_FOLDER)
        projector = SoftTokenProjector(
            description.specs, width=description.width, lm_width=model.config.hidden_size
        )
        projector.load_state_dict(load_file(folder / PROJECTORS_FILE))
        return cls(
            description,
            model=model.to(device, dtype).eval(),
            tokenizer=load_tokenizer(backbone),
            projector=projector.float().to(device),
        )

    def require_encoders(self, versions: Mapping[str, str]) -> None:
        """See `JudgeDescription.require_encoders`."""
        self._description.require_encoders(versions)

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        """See `JudgeBackend.judge`; `rationales` > 1 averages over that many sampled ones."""
        order = sorted(range(len(batch)), key=lambda i: (batch[i].duration_seconds, i))
        judged: dict[int, Judgment] = {}
        for start in range(0, len(order), self._batch_items):
            chosen = order[start : start + self._batch_items]
            items = [batch[i] for i in chosen]
            results = self._fast(items) if mode is Mode.FAST else self._full(items, rationales)
            judged.update(zip(chosen, results, strict=True))
        return [judged[i] for i in range(len(batch))]

    @torch.inference_mode()
    def sample_rationales(
        self, batch: Sequence[MediaFeatures], count: int
    ) -> list[tuple[Rationale, ...]]:
        """`count` rationales of each item, drawn at temperature 1 by its content.

        Raises:
            JudgeError: see `judge`.
        """
        written = self._write(batch, _sampler(batch, count), count)
        texts = [self._read(one, is_complete=one.score_logits_V is not None) for one in written]
        return [tuple(texts[i * count : (i + 1) * count]) for i in range(len(batch))]

    def _rows(self, items: Sequence[MediaFeatures], mode: Mode) -> list[torch.Tensor]:
        rows = []
        for features, soft in zip(items, self._projector(items), strict=True):
            if not soft.encoders:
                raise JudgeError(
                    f"no features that this judge reads in item {features.metadata.sha256[:12]}",
                    expected="at least one of "
                    + ", ".join(s.encoder for s in self._projector.specs),
                    remedy="Run the encoders that the judge was trained with.",
                )
            prompt = self._writer.write(features)
            cue = prompt.fast_cue if mode is Mode.FAST else prompt.full_cue
            text_TD = self._lm.embed((*prompt.item, *cue))
            rows.append(torch.cat([soft.embeddings_ND.to(text_TD.dtype), text_TD]))
        return rows

    @torch.inference_mode()
    def _fast(self, items: Sequence[MediaFeatures]) -> list[Judgment]:
        logits_NV = self._lm.next_logits(self._rows(items, Mode.FAST))
        scores = digit_scores(logits_NV, self._digit_ids_K)
        return [
            judgment(scores, n, mode=Mode.FAST, judge_id=self.judge_id) for n in range(len(items))
        ]

    @torch.inference_mode()
    def _full(self, items: Sequence[MediaFeatures], rationales: int) -> list[Judgment]:
        choose = _greedy if rationales == 1 else _sampler(items, rationales)
        written = self._write(items, choose, rationales)
        judgments: list[Judgment] = []
        for index, item in enumerate(items):
            mine = written[index * rationales : (index + 1) * rationales]
            judgments.append(self._from_rationales(item, mine))
        return judgments

    def _write(
        self, items: Sequence[MediaFeatures], choose: Sampler, rationales: int
    ) -> list[Continuation]:
        return self._lm.continue_until(
            self._rows(items, Mode.FULL),
            choose=choose,
            is_stop=self._is_stop,
            score_cue=self._writer.score_cue,
            tokens_max=self._description.rationale_tokens_max,
            prompt_B=[place for place in range(len(items)) for _ in range(rationales)],
        )

    def _from_rationales(self, item: MediaFeatures, written: Sequence[Continuation]) -> Judgment:
        """Mean digit distribution; the rationale shown is the one whose score is nearest to it."""
        finished = [text for text in written if text.score_logits_V is not None]
        if not finished:
            # A rationale cut off by its budget has no score of its own: fall back to the fast one.
            fast = self._fast([item])[0]
            return Judgment(
                fast.digit_probabilities_K,
                fast.digit_mass,
                fast.expected_score,
                Mode.FULL,
                self.judge_id,
                self._read(written[0], is_complete=False),
            )
        logits_NV = torch.stack([text.score_logits_V for text in finished])  # type: ignore[misc]
        each = digit_scores(logits_NV, self._digit_ids_K)
        mean, nearest = average(each)
        rationale = self._read(finished[nearest], is_complete=True)
        return judgment(mean, 0, mode=Mode.FULL, judge_id=self.judge_id, rationale=rationale)

    def _read(self, text: Continuation, *, is_complete: bool) -> Rationale:
        decoded = self._tokenizer.decode(text.token_ids, skip_special_tokens=True)
        return parse_rationale(decoded, is_complete=is_complete)

    def _is_stop(self, token_id: int) -> bool:
        return is_stop_token(self._tokenizer, token_id)


def _greedy(_rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
    return list(logits_BV.argmax(-1).tolist())


def _sampler(items: Sequence[MediaFeatures], rationales: int) -> Sampler:
    """Temperature-1 sampling, seeded by content, so that a score does not depend on its batch."""
    generators = content_generators(items, rationales)

    def choose(rows: Sequence[int], logits_BV: torch.Tensor) -> list[int]:
        probabilities_BV = logits_BV.float().softmax(-1).cpu()
        return [
            int(torch.multinomial(probabilities_V, 1, generator=generators[row]))
            for row, probabilities_V in zip(rows, probabilities_BV, strict=True)
        ]

    return choose
