"""A small soft-token judge and labelled items that it can learn."""

from pathlib import Path

import torch

from encoders.types import Modality, Span
from moderation.types import Claim, Strength
from rl.data import Example
from rl.judge_model import JudgeModel, sequence_specs
from rl.recipe import JudgeRecipe, SequenceRecipe
from tests.unit.judge.builders import features

JUDGE = JudgeRecipe(
    name="tiny",
    backbone="tiny",
    width=16,
    lora_rank=2,
    lora_alpha=4,
    rationale_tokens_max=24,
    sequences={"clip": SequenceRecipe(), "whisper": SequenceRecipe()},
)


def examples(count: int = 12, *, split: str = "train") -> list[Example]:
    """Pairs in which the second is shifted, as a forgery's features would be."""
    made = []
    for k in range(count):
        item, is_manipulated = features(2.0, seed=k), k % 2 == 1
        if is_manipulated:
            item.sequences[1].layers["block"][:] += 2.0
        claim = Claim(Modality.AUDIO, Span(0.0, 2.0), "synthetic voice", Strength.STRONG)
        made.append(
            Example(
                path=f"{k}.mp4",
                features=item,
                y=1.0 if is_manipulated else 9.0,
                is_manipulated=is_manipulated,
                recipe="shift" if is_manipulated else "genuine",
                source=f"s{k // 2}",
                pair_id=f"p{k // 2}",
                split=split,
                claims=(claim,) if is_manipulated else (),
            )
        )
    return made


def model(backbone: Path, data: list[Example], judge: JudgeRecipe = JUDGE) -> JudgeModel:
    """An untrained judge; the same each time."""
    torch.manual_seed(0)
    return JudgeModel(
        judge, sequence_specs(judge, data), backbone=backbone, dtype=torch.float32, device="cpu"
    )
