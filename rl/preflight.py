"""What must be in order before training begins, so that a wrong recipe costs no hours."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moderation.errors import ConfigurationError, TokenizerError, TypedError
from moderation.judge.backbone_weights import load_tokenizer
from moderation.judge.score_head import digit_token_ids
from moderation.types import LEVELS_K
from rl.corpus.manifest import NAME
from rl.data import Example
from rl.recipe import Recipe
from rl.stages.schema import Stage, StageRecipe, TextJudgeStage
from rl.stages.text_judge import graded_answers

TRAIN, VALIDATION = "train", "validation"


def needed_splits(recipe: Recipe) -> dict[str, str]:
    """Split -> the key of the recipe that asks for it."""
    needed = {TRAIN: "stages"}
    for number, stage in enumerate(recipe.stages):
        if isinstance(stage, StageRecipe) and stage.validate_steps is not None:
            needed.setdefault(VALIDATION, f"stages.{number}.validate_steps")
    return needed


def require_graded_answers(stages: Iterable[Stage]) -> None:
    """Refuse stages on written answers whose files are not there.

    Raises:
        ConfigurationError: the first such file.
    """
    for stage in stages:
        if isinstance(stage, TextJudgeStage):
            graded_answers(stage)


def require_rows(
    rows: Sequence[Mapping[str, Any]], corpus: Path, needed: Mapping[str, str]
) -> None:
    """Refuse a corpus in which a split is empty, a label off the scale or a file missing.

    rows: of the manifest. needed: split -> the key that asks for it.

    Raises:
        ConfigurationError: the first such thing, with its row, counted from 0.
    """
    for split, key in needed.items():
        if not any(row["split"] == split for row in rows):
            raise ConfigurationError(
                f"key {key!r}: no row of split {split!r} in {corpus / NAME}",
                expected=f"at least one; the splits are {_listed({r['split'] for r in rows})}",
                remedy="Build the corpus with such a split, or take the key out of the recipe.",
            )
    for number, row in enumerate(rows):
        if row["split"] not in needed:
            continue
        where, y = f"row {number} ({row['path']}) of {corpus / NAME}", row["y"]
        if y is None or not math.isfinite(y) or not 0.0 <= y <= LEVELS_K - 1:
            raise ConfigurationError(
                f"{where}: y = {y}",
                expected="a number from 0 (fabricated) to 9 (authentic)",
                remedy="Correct the label, or take the row out.",
            )
        if not (corpus / row["path"]).is_file():
            raise ConfigurationError(
                f"{where}: there is no such file",
                expected="a file in the corpus folder",
                remedy="Restore it, or take the row out.",
            )


def require_tokenizer(recipe: Recipe, backbone: Path | str) -> None:
    """Refuse a backbone whose tokenizer has not one token for each digit.

    Raises:
        TokenizerError: what it writes instead.
    """
    try:
        digit_token_ids(load_tokenizer(backbone))
    except TokenizerError as error:
        raise TokenizerError(
            f"key 'judge.backbone' = {recipe.judge.backbone!r}: {error.found}",
            expected=error.expected,
            remedy=error.remedy,
        ) from error


def require_readable(row: str, found: Example | TypedError) -> Example:
    """The example of a row, whose file could be read and has features that are numbers.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(found, TypedError):
        raise ConfigurationError(
            f"row {row}: {found}",
            expected="a file that can be read",
            remedy="Restore the file, or take its row out of the manifest.",
        ) from found
    if not found.features.sequences:
        raise ConfigurationError(
            f"row {row} has no features",
            expected="a sequence of at least one encoder",
            remedy="Take the row out, or add the encoder that reads it to MODERATION_ENCODERS.",
        )
    for sequence in found.features.sequences:
        for name, values in sequence.layers.items():
            if not np.isfinite(values).all():
                raise ConfigurationError(
                    f"row {row}: {sequence.encoder} layer {name} holds NaN or infinity",
                    expected="finite features",
                    remedy="Delete the corpus's folder features/ and the cache, then encode again.",
                )
    return found


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
