"""A recipe of text-judge rows: TOML, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from moderation.types import Mode
from rl.recipe import Architectures
from rl.recipe_file import read_model
from rl.stages.schema import Objective, RolloutsShape
from rl.strict_model import StrictModel
from rl.text_judge.schema import TextForm, TextRegression, TextStage


class TextJudgeRecipe(TextForm):
    """backbone: weights artefact, folder or hub id. backbone_layers: how many, None for all."""

    backbone: str
    backbone_layers: int | None = Field(None, gt=0)
    lora_rank: int = Field(16, gt=0)
    lora_alpha: int = Field(32, gt=0)


class DataRecipe(StrictModel):
    """Files relative to a source folder, as `rl/recipes/text-sources.toml` fetches them.

    test: name of the benchmark -> its file.
    """

    train: tuple[str, ...] = Field(min_length=1)
    test: dict[str, str] = Field(min_length=1)


class TextRegressionStage(TextRegression):
    """Learning from given scores, and from given feedback."""

    kind: Literal["regression"]


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
