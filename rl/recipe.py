"""A training recipe: TOML, unknown keys refused, every published figure has one."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.errors import ConfigurationError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SequenceRecipe(_Strict):
    """Soft-token budget of one encoder's sequence, see `SequenceSpec`."""

    tokens_per_window: int = Field(1, ge=1)
    windows_per_second: float = Field(1.0, ge=0)
    windows_max: int = Field(12, ge=1)


class JudgeRecipe(_Strict):
    """One judge, and the soft-token budget of each sequence that it reads.

    backbone: weights artefact, folder or hub id. backbone_layers: how many, None for all.
    width: of the projectors. lora_rank, lora_alpha: of the adapter on all linear layers.
    """

    name: str
    backbone: str
    backbone_layers: int | None = None
    width: int = 128
    lora_rank: int = 8
    lora_alpha: int = 16
    rationale_tokens_max: int = 96
    sequences: dict[str, SequenceRecipe]


class OptimiserRecipe(_Strict):
    """steps: optimiser steps; rates: learning rates; full_share: batches that write a rationale."""

    steps: int = Field(gt=0)
    batch_items: int = Field(8, gt=0)
    projector_rate: float = Field(1e-3, gt=0)
    adapter_rate: float = Field(2e-4, gt=0)
    warm_up_steps: int = 30
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    full_share: float = Field(0.4, ge=0, le=1)
    mass_weight: float = 0.1
    rationale_weight: float = 1.0
    checkpoint_steps: int = 50
    seed: int = 0


class Recipe(_Strict):
    """One training run."""

    judge: JudgeRecipe
    optimiser: OptimiserRecipe


def read_recipe(path: Path) -> Recipe:
    """Parse a recipe.

    Raises:
        ConfigurationError: no such file, not TOML, or a key that is unknown or off its range.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path}: {error}", expected="a readable TOML recipe", remedy="Correct the file."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"{path}: key {key!r}: {first['msg']}",
            expected="a recipe as in rl/recipes/",
            remedy="Correct that key.",
        ) from error
