"""A random soft-token judge under the interface that TRL trains, its media, and their truth."""

from pathlib import Path
from typing import Any

import torch

from encoders.types import Modality, Span
from moderation.types import Claim, Strength
from rl.judge_model import JudgeModel
from rl.soft_token_policy import SoftTokenPolicy
from tests.unit.judge.builders import SPECS, features
from tests.unit.rl.media_judge import JUDGE

# The third has sound alone, so its row has fewer soft tokens.
MEDIA = {
    "first.mp4": features(2.0, seed=1),
    "second.mp4": features(3.4, seed=2),
    "third.wav": features(1.0, seed=3, encoders=("whisper",)),
}
_FORGED = Claim(Modality.AUDIO, Span(0.0, 2.0), "synthetic voice", Strength.STRONG)
TRUTH = {"first.mp4": (_FORGED,), "second.mp4": (), "third.wav": ()}


def policy(backbone: Path, media: dict[str, Any] = MEDIA) -> SoftTokenPolicy:
    """A random judge that stops every few tokens, with an adapter that already does something."""
    torch.manual_seed(0)
    judge = JudgeModel(JUDGE, SPECS, backbone=backbone, dtype=torch.float32, device="cpu")
    for parameter in judge.backbone.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    inner = judge.backbone.get_base_model()
    head = torch.nn.Linear(*reversed(inner.lm_head.weight.shape), bias=True)
    head.weight.data = inner.lm_head.weight.data
    head.bias.data = torch.zeros_like(head.bias)
    head.bias.data[judge.tokenizer.eos_token_id] = 5.0
    inner.lm_head = head.requires_grad_(False)
    return SoftTokenPolicy(judge, media)
