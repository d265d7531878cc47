"""What a stage of a recipe asks of one device at once."""

import math
from collections.abc import Sequence

from moderation.judge.prompt import POLICY_TEXT, RATIONALE_CUE, UNTRUSTED_CHARACTERS_MAX
from moderation.judge.score_head import SCORE_CUE
from moderation.judge.sequence_spec import SequenceSpec
from rl.memory.estimate import Workload
from rl.recipe import Recipe
from rl.stages.schema import (
    RolloutsShape,
    RolloutsStage,
    SelfRationaleStage,
    Stage,
    TextJudgeStage,
)
from rl.text_judge.prompt import TASK
from rl.text_judge.schema import TextForm, TextRegression

# English text has about four characters a token under the vocabularies of these models; three
# leaves room for numbers and for names.
CHARACTERS_A_TOKEN = 3
# Facts of a file, fences and the chat template's own marks.
_FRAME_CHARACTERS = 160


def prompt_tokens(specs: Sequence[SequenceSpec]) -> int:
    """The longest prompt: text by its characters, and every window of every encoder in use."""
    texts = (POLICY_TEXT, RATIONALE_CUE)
    characters = sum(map(len, texts)) + UNTRUSTED_CHARACTERS_MAX + _FRAME_CHARACTERS
    # A rate of 0 is one window whatever the length.
    windows = [spec.windows_max if spec.windows_per_second else 1 for spec in specs]
    soft = sum(n * spec.tokens_per_window for n, spec in zip(windows, specs, strict=True))
    return soft + math.ceil(characters / CHARACTERS_A_TOKEN)


def workload(stage: Stage, recipe: Recipe, *, prompt: int, devices: int) -> Workload:
    """A step of a stage, divided over `devices`; prompt: tokens before the rationale."""
    completion = recipe.judge.rationale_tokens_max + len(SCORE_CUE)
    if isinstance(stage, RolloutsStage):
        return rollouts_workload(stage, prompt=prompt, completion=completion, devices=devices)
    if isinstance(stage, TextJudgeStage):
        return text_workload(stage, stage.form)
    return supervised_workload(
        stage.batch_items,
        prompt=prompt,
        completion=completion if stage.full_share > 0 else 0,
        generated_rows=stage.write_items * stage.rationales
        if isinstance(stage, SelfRationaleStage)
        else 0,
    )


def text_prompt_tokens(form: TextForm) -> int:
    """The longest prompt of a written answer."""
    limits = form.characters
    shown = limits.instruction + limits.response + limits.reference + limits.rubric
    return math.ceil((shown + len(TASK)) / CHARACTERS_A_TOKEN)


def text_completion_tokens(form: TextForm) -> int:
    """The longest reply: feedback, cue, digit and end of text."""
    return form.rationale_tokens_max + len(SCORE_CUE) + 2


def text_workload(stage: TextRegression, form: TextForm) -> Workload:
    """A step on written answers."""
    return supervised_workload(
        stage.batch_items,
        prompt=text_prompt_tokens(form),
        completion=text_completion_tokens(form) if stage.full_share > 0 else 0,
    )


def rollouts_workload(
    shape: RolloutsShape, *, prompt: int, completion: int, devices: int
) -> Workload:
    """A step of rollouts, divided over `devices`; prompt, completion: tokens of each."""
    rollouts = math.ceil(shape.step_items * shape.rollouts_G / devices)
    return Workload(
        rows=math.ceil(rollouts / shape.parts),
        tokens=prompt + completion,
        logit_tokens=completion,
        generated_rows=rollouts,
        recomputes=shape.recompute_activations,
    )


def supervised_workload(
    rows: int, *, prompt: int, completion: int, generated_rows: int = 0
) -> Workload:
    """A step on given texts; every process takes batches of its own.

    completion: tokens of a rationale with its score, 0 where the score stands alone.
    """
    return Workload(
        rows=rows,
        tokens=prompt + (completion or len(SCORE_CUE)),
        logit_tokens=completion or 1,
        generated_rows=generated_rows,
    )
