"""A recipe of text-judge rows: TOML, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from moderation.types import Mode
from rl.recipe import Architectures
from rl.recipe_file import read_model
from rl.stages.schema import Objective, RolloutsShape
from rl.strict_model import StrictModel


class PromptCharacters(StrictModel):
    """How much of each part of an item the judge is shown, in characters; the rest is cut off."""

    instruction: int = Field(4000, gt=0)
    response: int = Field(4000, gt=0)
    reference: int = Field(4000, ge=0)
    rubric: int = Field(2000, gt=0)


class TextJudgeRecipe(StrictModel):
    """backbone: weights artefact, folder or hub id. backbone_layers: how many, None for all.

    rationale_tokens_max: of the feedback; references are cut at their last whole sentence.
    """

    backbone: str
    backbone_layers: int | None = Field(None, gt=0)
    lora_rank: int = Field(16, gt=0)
    lora_alpha: int = Field(32, gt=0)
    rationale_tokens_max: int = Field(256, gt=0)
    characters: PromptCharacters = Field(
        default_factory=lambda: PromptCharacters.model_validate({})
    )


class DataRecipe(StrictModel):
    """Files relative to a source folder, as `rl/recipes/text-sources.toml` fetches them.

    test: name of the benchmark -> its file.
    """

    train: tuple[str, ...] = Field(min_length=1)
    test: dict[str, str] = Field(min_length=1)


class TextStage(StrictModel):
    """steps: of the optimiser. rate: learning rate of the adapter."""

    steps: int = Field(gt=0)
    rate: float = Field(2e-4, gt=0)
    warm_up_steps: int = Field(10, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float = Field(1.0, gt=0)


class TextRegressionStage(TextStage):
    """RAFT (full_share 0) or TRACT stage 1 (full_share 1); batch_items: rows a step."""

    kind: Literal["regression"]
    batch_items: int = Field(8, gt=0)
    full_share: float = Field(0.0, ge=0, le=1)
    rationale_weight: float = Field(1.0, ge=0)
    mass_weight: float = Field(0.1, ge=0)


class TextRolloutsStage(TextStage, RolloutsShape):
    """Reinforcement learning on the judge's own feedback; an item is a prompt."""

    kind: Literal["rollouts"]
    objective: Objective


AnyTextStage = Annotated[TextRegressionStage | TextRolloutsStage, Field(discriminator="kind")]


class TextRow(StrictModel):
    """A row of the table: which stages train it, one after the other, and how it is tested."""

    name: str
    stages: tuple[str, ...] = ()
    mode: Mode


class TextRecipe(StrictModel):
    """stages: by name; rows that begin with the same stages share them. seeds: of every row."""

    judge: TextJudgeRecipe
    data: DataRecipe
    seeds: tuple[int, ...] = (0,)
    stages: dict[str, AnyTextStage]
    rows: tuple[TextRow, ...] = Field(min_length=1)
    architectures: Architectures | None = None

    @model_validator(mode="after")
    def _rows_name_their_stages(self) -> Self:
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            raise ValueError("two rows have one name")
        for row in self.rows:
            for stage in row.stages:
                if stage not in self.stages:
                    known = ", ".join(self.stages)
                    raise ValueError(f"row {row.name!r} names stage {stage!r}; there are {known}")
        return self


def read_text_recipe(path: Path) -> TextRecipe:
    """Parse a recipe.

    Raises:
        ConfigurationError: no such file, not TOML, or a key that is unknown or off its range.
    """
    return read_model(path, TextRecipe, like="rl/recipes/mt-bench.toml")
