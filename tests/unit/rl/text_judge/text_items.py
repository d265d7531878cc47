"""Items in the form of the Prometheus benchmarks, and a small judge of them."""

import json
from pathlib import Path
from typing import Any

import torch

from rl.text_judge.items import TextItem, read_items
from rl.text_judge.model import TextJudge
from rl.text_judge.recipe import TextJudgeRecipe

PROMPT = """###Task Description:
An instruction, a response to evaluate, a reference answer and a score rubric are given.

###The instruction to evaluate:
{instruction}

###Response to evaluate:
{response}

###Reference Answer (Score 5):
good good

###Score Rubrics:
[Is it good?]
Score 1: No.
Score 5: Yes.

###Feedback: """


def row(number: int) -> dict[str, Any]:
    """A response whose length says how good it is; two answers a question."""
    score = 1 + number % 5
    return {
        "idx": number // 2,
        "instruction": PROMPT.format(
            instruction=f"Say good, question {number // 2}", response=" ".join(["good"] * score)
        ),
        "gpt4_score": [score, score, max(1, score - 1)],
        "gpt4_feedback": [f"It says good. {score} of them.", "It does.", "It almost does."],
    }


def write(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row(k) for k in range(count)]))
    return path


def items(folder: Path, count: int = 10) -> list[TextItem]:
    return read_items(write(folder / "items.json", count))


RECIPE = TextJudgeRecipe(backbone="tiny", lora_rank=4, lora_alpha=8, rationale_tokens_max=16)


def judge(backbone: Path) -> TextJudge:
    """An untrained judge; the same each time."""
    torch.manual_seed(0)
    return TextJudge.untrained(RECIPE, backbone=backbone, dtype=torch.float32, device="cpu")
