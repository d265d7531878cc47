"""The recipe of an ablation: TOML, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from moderation.types import Mode
from rl.recipe import JudgeRecipe
from rl.recipe_file import read_model
from rl.shortening import ShorteningRecipe
from rl.stages.schema import MediaObjective, RolloutsStage, Stage
from rl.strict_model import StrictModel

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
"""Small letters, digits, hyphens and dots: it is a folder's name, too."""


class ItemLimits(StrictModel):
    """How many items of a split at most, drawn pair by pair, alike for all seeds; None for all.

    test: of each of the splits that are tested.
    """

    train: int | None = Field(default=None, gt=0)
    validation: int | None = Field(default=None, gt=0)
    calibration: int | None = Field(default=None, gt=0)
    test: int | None = Field(default=None, gt=0)


class PartRecipe(StrictModel):
    """Stages that several rows begin with: trained once a seed. after: the part before it."""

    name: Name
    after: Name | None = None
    stages: tuple[Stage, ...] = Field(min_length=1)


class RowRecipe(StrictModel):
    """One row of the table.

    label: as the table has it; the name, where it is empty. after: the part that it starts from.
    stages: its own. objective: one more stage of rollouts towards it, with the keys of `rollouts`,
    which are the same for all rows. mode: how it is tested. is_decoded: its score is the most
    probable digit, as a judge that only writes would give it, and not the expected score.
    """

    name: Name
    label: str = ""
    after: Name | None = None
    stages: tuple[Stage, ...] = ()
    objective: MediaObjective | None = None
    mode: Mode
    is_decoded: bool = False


class SweepRecipe(StrictModel):
    """Rows like `row`, a row of REAL, with other refinement weights beta; these are its points."""

    row: Name
    refinement_weights: tuple[float, ...] = Field(min_length=1)


class AblationRecipe(StrictModel):
    """A table of rows.

    reference: the row that all others are compared with. seeds: of the runs of each row. splits:
    that are tested; the pictures are of the last one. shortened: the judge's backbone is cut to its
    first layers, and taught to write again, before all rows. rollouts: the keys of `RolloutsStage`
    but its objective. detectors: baseline detectors to add as rows, by their names.
    """

    reference: Name
    seeds: tuple[int, ...] = Field(min_length=1)
    splits: tuple[str, ...] = Field(min_length=1)
    items: ItemLimits = Field(default_factory=ItemLimits)
    judge: JudgeRecipe
    shortened: ShorteningRecipe | None = None
    parts: tuple[PartRecipe, ...] = ()
    rollouts: dict[str, Any] = Field(default_factory=dict)
    rows: tuple[RowRecipe, ...] = Field(min_length=1)
    sweep: SweepRecipe | None = None
    detectors: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        parts: list[str] = []
        for part in self.parts:
            _require_known(part.after, parts, f"part {part.name!r}")
            parts.append(part.name)
        rows = [row.name for row in self.rows]
        for row in self.rows:
            _require_known(row.after, parts, f"row {row.name!r}")
        for names in (parts, [*rows, *self.detectors]):
            if len(set(names)) < len(names):
                raise ValueError(f"a name is there twice: {', '.join(names)}")
        if self.reference not in rows:
            raise ValueError(f"reference {self.reference!r} is none of the rows {', '.join(rows)}")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is there twice")
        return self

    @model_validator(mode="after")
    def _rollouts_are_a_stage(self) -> Self:
        for row in self.rows:
            if row.objective is not None:
                self.rollouts_stage(row.objective)
        if self.sweep is not None:
            objective = next((r.objective for r in self.rows if r.name == self.sweep.row), None)
            if objective is None or objective.kind != "real":
                raise ValueError(f"sweep.row {self.sweep.row!r} is no row with objective `real`")
        return self

    def rollouts_stage(self, objective: MediaObjective) -> RolloutsStage:
        """The stage of rollouts that all rows share, towards `objective`."""
        keys = {"kind": "rollouts", **self.rollouts}
        return RolloutsStage.model_validate({**keys, "objective": objective.model_dump()})


def _require_known(name: str | None, known: list[str], of: str) -> None:
    if name is not None and name not in known:
        listed = ", ".join(known) or "none"
        raise ValueError(f"{of} comes after {name!r}, which is no part before it: {listed}")


def read_ablation_recipe(path: Path) -> AblationRecipe:
    """Parse a recipe.

    Raises:
        ConfigurationError: no such file, not TOML, or a key that is unknown or off its range.
    """
    return read_model(path, AblationRecipe, like="rl/recipes/ablation.toml")
