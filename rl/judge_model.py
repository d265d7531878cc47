"""The trainable judge: soft-token projectors and a LoRA adapter around a frozen backbone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

from moderation.errors import ConfigurationError
from moderation.judge.artefact import ADAPTER_FOLDER, PROJECTORS_FILE, JudgeDescription
from moderation.judge.backbone_weights import load_backbone, load_tokenizer, quiet_peft
from moderation.judge.language_model import LanguageModel
from moderation.judge.prompt import POLICY_TEXT, PromptWriter
from moderation.judge.score_head import DigitScores, digit_scores, digit_token_ids
from moderation.judge.sequence_spec import SequenceSpec
from moderation.judge.soft_tokens import SoftTokenProjector, covered_seconds
from rl.data import Example
from rl.objective import log_digit_distribution
from rl.recipe import JudgeRecipe


@dataclass(frozen=True, slots=True)
class JudgeOutput:
    """scores: at the score position; log_p_NK, log_mass_N: the logarithms of the same.

    rationale_logits_TV, rationale_target_T: None in fast mode.
    """

    scores: DigitScores
    log_p_NK: torch.Tensor
    log_mass_N: torch.Tensor
    rationale_logits_TV: torch.Tensor | None = None
    rationale_target_T: torch.Tensor | None = None


def sequence_specs(recipe: JudgeRecipe, examples: Sequence[Example]) -> tuple[SequenceSpec, ...]:
    """Specs for the recipe's sequences, with the layer widths that the features have.

    Raises:
        ConfigurationError: a sequence that no example has.
    """
    found: dict[str, dict[str, int]] = {}
    for example in examples:
        for sequence in example.features.sequences:
            widths = {name: values.shape[1] for name, values in sequence.layers.items()}
            found.setdefault(sequence.encoder, widths)
    for encoder in recipe.sequences:
        if encoder not in found:
            raise ConfigurationError(
                f"key 'judge.sequences.{encoder}': no training item has such features",
                expected=f"some of: {', '.join(sorted(found)) or 'none'}",
                remedy="Take the table out, or add media and encoders that give them.",
            )
    return tuple(
        SequenceSpec(encoder, found[encoder], **budget.model_dump())
        for encoder, budget in recipe.sequences.items()
    )


class JudgeModel(nn.Module):
    """Runs the serving code (`LanguageModel`, `SoftTokenProjector`) with gradients.

    backbone: local folder or hub id. Trainable: all of the projector, the adapter of the backbone.
    """

    def __init__(
        self,
        recipe: JudgeRecipe,
        specs: Sequence[SequenceSpec],
        *,
        backbone: Path | str,
        dtype: torch.dtype,
        device: str,
    ) -> None:
        super().__init__()
        self._recipe = recipe
        self.backbone_source = backbone
        base = load_backbone(backbone, dtype=dtype, layers=recipe.backbone_layers)
        self.tokenizer = load_tokenizer(backbone)
        self.writer = PromptWriter(self.tokenizer, policy_text=POLICY_TEXT)
        adapter = LoraConfig(
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with quiet_peft():
            self.backbone = get_peft_model(base, adapter).to(device)
        norm = float(base.get_input_embeddings().weight.float().std())
        self.projector = SoftTokenProjector(
            specs, width=recipe.width, lm_width=base.config.hidden_size, lm_norm=norm
        ).to(device)
        self._lm = LanguageModel(self.backbone.get_base_model(), self.writer.prefix)
        self._digit_ids_K = torch.tensor(digit_token_ids(self.tokenizer), device=device)

    @property
    def description(self) -> JudgeDescription:
        """What serving has to know of it, before anything is written."""
        return JudgeDescription(
            name=self._recipe.name,
            backbone=self._recipe.backbone,
            backbone_layers=self._recipe.backbone_layers,
            width=self._recipe.width,
            specs=self.projector.specs,
            encoders={},
            policy_text=POLICY_TEXT,
            rationale_tokens_max=self._recipe.rationale_tokens_max,
        )

    def fit_normalisation(self, examples: Sequence[Example]) -> None:
        """Standardise every layer by its mean and spread over the training examples."""
        for spec in self.projector.specs:
            found = [
                sequence.layers
                for example in examples
                for sequence in example.features.sequences
                if sequence.encoder == spec.encoder
            ]
            layers = {name: np.concatenate([one[name] for one in found]) for name in spec.layers}
            self.projector.fit_normalisation(spec.encoder, layers)

    def trainable_state(self) -> dict[str, torch.Tensor]:
        """Everything that training changes, by name."""
        trainable = {name for name, p in self.named_parameters() if p.requires_grad}
        buffers = {name for name, _ in self.projector.named_buffers(prefix="projector")}
        return {k: v for k, v in self.state_dict().items() if k in trainable | buffers}

    def load_trainable_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what `trainable_state` gave."""
        self.load_state_dict(dict(state), strict=False)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._digit_ids_K.device

    @property
    def rationale_tokens_max(self) -> int:
        """The longest rationale that it may write."""
        return self._recipe.rationale_tokens_max

    def prompt_length(self, example: Example) -> int:
        """Soft tokens and text tokens of an item, without the part that all items share."""
        features = example.features
        specs = {spec.encoder: spec for spec in self.projector.specs}
        soft = sum(
            specs[s.encoder].windows(covered_seconds(s, features.duration_seconds))
            * specs[s.encoder].tokens_per_window
            for s in features.sequences
            if s.encoder in specs
        )
        return soft + len(self.writer.write(features).item)

    def forward(
        self, batch: Sequence[Example], rationales: Sequence[str] | None = None
    ) -> JudgeOutput:
        """Scores of a batch: straight away, or behind the given rationales.

        rationales: one text an example; the score then stands behind it, as in full mode.
        """
        soft = self.projector([example.features for example in batch])
        rows, spans, targets = [], [], []
        for index, (example, tokens) in enumerate(zip(batch, soft, strict=True)):
            prompt = self.writer.write(example.features)
            if rationales is None:
                tail = [*prompt.item, *prompt.fast_cue]
            else:
                head = [*prompt.item, *prompt.full_cue]
                text = self.tokenizer.encode(rationales[index], add_special_tokens=False)
                tail = [*head, *text, *prompt.fast_cue]
                # The position before each rationale token predicts it; the last predicts the stop.
                start = len(tokens.encoders) + len(head) - 1
                spans.append(range(start, start + len(text) + 1))
                targets += [*text, self.tokenizer.eos_token_id]
            text_TD = self._lm.embed(tail)
            rows.append(torch.cat([tokens.embeddings_ND.to(text_TD.dtype), text_TD]))
        hidden_BTD, mask_BT = self._lm.hidden(rows)
        last_B = mask_BT.sum(1) - 1
        score_ND = hidden_BTD[torch.arange(len(rows), device=last_B.device), last_B]
        logits_NV = self._lm.logits(score_ND)
        scores = digit_scores(logits_NV, self._digit_ids_K)
        logarithms = log_digit_distribution(logits_NV, self._digit_ids_K)
        if rationales is None:
            return JudgeOutput(scores, *logarithms)
        hidden_TD = torch.cat([hidden_BTD[i, list(span)] for i, span in enumerate(spans)])
        target_T = torch.tensor(targets, device=hidden_TD.device)
        return JudgeOutput(scores, *logarithms, self._lm.logits(hidden_TD), target_T)

    def save(self, folder: Path) -> None:
        """Write projectors and adapter as serving loads them; the adapter in half precision.

        The adapter's rounding is far below the noise of training, and halves what is shipped.
        """
        folder.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {
            name: value.detach().float().cpu().contiguous()
            for name, value in self.projector.state_dict().items()
        }
        save_file(state, folder / PROJECTORS_FILE)
        for parameter in self.backbone.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.half().float()
        adapter = folder / ADAPTER_FOLDER
        self.backbone.save_pretrained(str(adapter))
        (adapter / "README.md").unlink()
        path = adapter / "adapter_model.safetensors"
        halves = {name: value.half() for name, value in load_file(path).items()}
        save_file(halves, path, metadata={"format": "pt"})
        # PEFT notes the path of the training machine; the judge's description names the backbone.
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = self._recipe.backbone
        text = json.dumps(config, indent=1, sort_keys=True) + "\n"
        (adapter / "adapter_config.json").write_text(text, encoding="utf-8")
