"""A training recipe: TOML, unknown keys refused, every published figure has one."""

from pathlib import Path

from pydantic import Field, model_validator

from rl.recipe_file import read_model
from rl.shortening import ShorteningRecipe
from rl.stages.schema import Stage
from rl.strict_model import StrictModel


class SequenceRecipe(StrictModel):
    """Soft-token budget of one encoder's sequence, see `SequenceSpec`."""

    tokens_per_window: int = Field(1, ge=1)
    windows_per_second: float = Field(1.0, ge=0)
    windows_max: int = Field(12, ge=1)


class JudgeRecipe(StrictModel):
    """One judge, and the soft-token budget of each sequence that it reads.

    backbone: weights artefact, folder or hub id. backbone_layers: how many, None for all.
    width: of the projectors. lora_rank, lora_alpha: of the adapter on all linear layers.
    """

    name: str
    backbone: str
    backbone_layers: int | None = Field(None, gt=0)
    width: int = Field(128, gt=0)
    lora_rank: int = Field(8, gt=0)
    lora_alpha: int = Field(16, gt=0)
    rationale_tokens_max: int = Field(96, gt=0)
    sequences: dict[str, SequenceRecipe] = Field(min_length=1)


class Architectures(StrictModel):
    """Files, beside the recipe, that give sizes where weights are not at hand; for the dry run.

    backbone: transformers' config.json. whisper: the dimensions of an openai-whisper checkpoint.
    """

    backbone: Path
    whisper: Path | None = None


class Recipe(StrictModel):
    """One training run: a judge, and the stages that train it one after the other.

    shortened: the backbone is cut to its first layers and taught to write, see
    `rl.shortened_backbone`.
    encoders: plugin -> keyword -> value, where an encoder is not to be as it comes.
    seed: of everything that is drawn. Without stages the judge is the untrained one: the backbone
    as it is, behind projectors that nobody taught.
    """

    seed: int = Field(0, ge=0)
    judge: JudgeRecipe
    shortened: ShorteningRecipe | None = None
    stages: tuple[Stage, ...] = ()
    encoders: dict[str, dict[str, bool | int | float | str]] = Field(default_factory=dict)
    architectures: Architectures | None = None

    @property
    def kept_layers(self) -> int | None:
        """How many layers of the backbone the judge has, None for all."""
        return self.shortened.layers if self.shortened else self.judge.backbone_layers

    @model_validator(mode="after")
    def _cut_once(self) -> "Recipe":
        if self.shortened and self.judge.backbone_layers:
            raise ValueError("judge.backbone_layers and [shortened] both cut the backbone")
        return self


def read_recipe(path: Path) -> Recipe:
    """Parse a recipe.

    Raises:
        ConfigurationError: no such file, not TOML, or a key that is unknown or off its range.
    """
    return read_model(path, Recipe, like="rl/recipes/smoke.toml")
