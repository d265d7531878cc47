"""What a training cost: optimiser steps, and tokens that the judge wrote for it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.stages.schema import RolloutsStage, SelfRationaleStage, Stage
from rl.stages.self_rationale import RATIONALES
from rl.stages.stage_log import LOG

LENGTH = "completions/mean_length"
"""TRL's name for the mean tokens of a step's completions, with the score cue and what ends them."""


@dataclass(frozen=True, slots=True)
class Effort:
    """steps: of the optimiser. generated_tokens: written by the judge in training."""

    steps: int
    generated_tokens: int


def effort(stages: Sequence[tuple[Stage, Path]], *, count_tokens: Callable[[str], int]) -> Effort:
    """By the logs of the stages, each with its folder; count_tokens: of a rationale."""
    steps, tokens = 0, 0.0
    for stage, folder in stages:
        lines = _lines(folder / LOG)
        steps += max((line["step"] for line in lines), default=0)
        match stage:
            case RolloutsStage():
                lengths = [line[LENGTH] for line in lines if LENGTH in line]
                tokens += sum(lengths) * stage.step_items * stage.rollouts_G
            case SelfRationaleStage():
                texts = [t for line in _lines(folder / RATIONALES) for t in line["rationales"]]
                tokens += sum(map(count_tokens, texts))
            case _:
                pass
    return Effort(steps, round(tokens))


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
