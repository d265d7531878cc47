"""A causal language model with a LoRA adapter that grades text.

N items, T tokens, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from moderation.judge.backbone_weights import load_backbone, load_tokenizer, quiet_peft
from moderation.judge.language_model import LanguageModel
from moderation.judge.score_head import digit_scores, digit_token_ids
from rl.judge_model import JudgeOutput
from rl.objective import log_digit_distribution
from rl.text_judge.items import TextItem
from rl.text_judge.prompt import TextPromptWriter
from rl.text_judge.recipe import TextJudgeRecipe
from rl.text_judge.schema import TextForm


class TextJudge(nn.Module):
    """Trainable: the adapter of `backbone`, a PEFT model, which it shares with its caller.

    Raises:
        TokenizerError: a digit behind the cue is not one token.
    """

    def __init__(self, form: TextForm, *, backbone: Any, tokenizer: Any) -> None:
        super().__init__()
        self.form = form
        self.tokenizer = tokenizer
        digit_ids = digit_token_ids(tokenizer)
        self.writer = TextPromptWriter(tokenizer, form.characters)
        self.backbone = backbone
        self._lm = LanguageModel(backbone.get_base_model(), ())
        self._digit_ids_K = torch.tensor(digit_ids, device=backbone.device)

    @classmethod
    def untrained(
        cls, recipe: TextJudgeRecipe, *, backbone: Path | str, dtype: torch.dtype, device: str
    ) -> Self:
        """With a new adapter. backbone: local folder or hub id.

        Raises:
            TokenizerError: see the class.
        """
        base = load_backbone(backbone, dtype=dtype, layers=recipe.backbone_layers)
        adapter = LoraConfig(
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with quiet_peft():
            model = get_peft_model(base, adapter).to(device)
        return cls(recipe, backbone=model, tokenizer=load_tokenizer(backbone))

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._digit_ids_K.device

    @property
    def language_model(self) -> LanguageModel:
        """The model as serving runs it, adapter included."""
        return self._lm

    def trainable_state(self) -> dict[str, torch.Tensor]:
        """Everything that training changes, by name, copied."""
        trained = self.backbone.named_parameters()
        return {name: p.detach().cpu().clone() for name, p in trained if p.requires_grad}

    def load_trainable_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what `trainable_state` gave."""
        self.backbone.load_state_dict(dict(state), strict=False)

    def forward(
        self, batch: Sequence[TextItem], rationales: Sequence[str] | None = None
    ) -> JudgeOutput:
        """Scores of a batch straight away, or behind the given rationales.

        The rationale's targets are its tokens, the cue, and the end of text behind the digit; the
        digit itself is not among them.
        """
        cue, rows, places, spans = self.writer.score_cue, [], [], []
        targets: list[int] = []
        for index, item in enumerate(batch):
            head = self.writer.prompt_ids(item)
            if rationales is None:
                rows.append([*head, *cue])
                places.append(len(rows[-1]) - 1)
                continue
            reply = [*self.writer.encode(rationales[index]), *cue]
            digit = int(self._digit_ids_K[round(item.y)])
            rows.append([*head, *reply, digit])
            scored = len(head) + len(reply) - 1
            places.append(scored)
            # Each position predicts the next: the reply, and behind the digit the end of text.
            spans.append([*range(len(head) - 1, scored), scored + 1])
            targets += [*reply, self.tokenizer.eos_token_id]
        hidden_BTD, _ = self._lm.hidden([self._lm.embed(row) for row in rows])
        row_N = torch.arange(len(rows), device=self.device)
        logits_NV = self._lm.logits(hidden_BTD[row_N, torch.tensor(places, device=self.device)])
        scores = digit_scores(logits_NV, self._digit_ids_K)
        logarithms = log_digit_distribution(logits_NV, self._digit_ids_K)
        if rationales is None:
            return JudgeOutput(scores, *logarithms)
        hidden_TD = torch.cat([hidden_BTD[n, span] for n, span in enumerate(spans)])
        target_T = torch.tensor(targets, device=self.device)
        return JudgeOutput(scores, *logarithms, self._lm.logits(hidden_TD), target_T)
