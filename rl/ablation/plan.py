"""What an ablation trains: its recipe's rows with their stages spelt out."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.errors import ConfigurationError
from moderation.types import Mode
from rl.ablation.recipe import AblationRecipe, RowRecipe
from rl.baselines.real import Real
from rl.recipe import JudgeRecipe, Recipe
from rl.stages.schema import Stage


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Stages that are trained once a seed; `stages` begins with those of the part before it."""

    name: str
    before: str | None
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A row that is trained: `stages` begins with those of the part that it starts from.

    part: None where it starts from the untrained judge. refinement_weight: its point in the sweep,
    None where it is none.
    """

    name: str
    label: str
    mode: Mode
    is_decoded: bool
    part: str | None
    stages: tuple[Stage, ...]
    refinement_weight: float | None = None


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """parts: each after the one that it goes on from. rows: as the table has them."""

    recipe: AblationRecipe
    parts: tuple[PartPlan, ...]
    rows: tuple[RowPlan, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all rows, detectors among them."""
        return (*(row.name for row in self.rows), *self.recipe.detectors)

    def part(self, name: str) -> PartPlan:
        """The part of that name."""
        return next(part for part in self.parts if part.name == name)

    @property
    def judge(self) -> JudgeRecipe:
        """What all rows train; a shortened backbone has a name of its own."""
        judge, shortened = self.recipe.judge, self.recipe.shortened
        if shortened is None:
            return judge
        told = ", ".join(f"{key} {value}" for key, value in shortened.model_dump().items())
        return judge.model_copy(update={"backbone": f"{judge.backbone} ({told})"})

    def training(self, stages: tuple[Stage, ...], seed: int) -> Recipe:
        """The recipe of one training."""
        return Recipe(seed=seed, judge=self.judge, stages=stages)

    def chosen(self, only: Sequence[str]) -> tuple[str, ...]:
        """The names of the rows to run, in their order; all without `only`.

        Raises:
            ConfigurationError: one that is no row.
        """
        for name in only:
            if name not in self.names:
                raise ConfigurationError(
                    f"no row is named {name!r}",
                    expected=f"some of: {', '.join(self.names)}",
                    remedy="Correct --only.",
                )
        return tuple(name for name in self.names if not only or name in only)


def plan(recipe: AblationRecipe) -> AblationPlan:
    """Spell the recipe out, the rows of its sweep among its own."""
    parts: dict[str, PartPlan] = {}
    for part in recipe.parts:
        before = parts[part.after].stages if part.after else ()
        parts[part.name] = PartPlan(part.name, part.after, (*before, *part.stages))

    def row_plan(row: RowRecipe) -> RowPlan:
        own = (*row.stages, *([recipe.rollouts_stage(row.objective)] if row.objective else []))
        return RowPlan(
            row.name,
            row.label or row.name,
            row.mode,
            row.is_decoded,
            row.after,
            (*(parts[row.after].stages if row.after else ()), *own),
            _weight(recipe, row),
        )

    rows = tuple(row_plan(row) for row in (*recipe.rows, *_swept(recipe)))
    return AblationPlan(recipe, tuple(parts.values()), rows)


def _weight(recipe: AblationRecipe, row: RowRecipe) -> float | None:
    """The point of a row in the sweep: it is the swept row but for beta."""
    if recipe.sweep is None or not isinstance(row.objective, Real):
        return None
    swept = next(one for one in recipe.rows if one.name == recipe.sweep.row)
    weight = row.objective.refinement_weight
    is_point = _with_weight(swept, weight) == row.model_copy(
        update={"name": swept.name, "label": swept.label}
    )
    return weight if is_point else None


def _swept(recipe: AblationRecipe) -> list[RowRecipe]:
    """Rows of the sweep that are none of the recipe's own."""
    if recipe.sweep is None:
        return []
    swept = next(row for row in recipe.rows if row.name == recipe.sweep.row)
    known = {_weight(recipe, row) for row in recipe.rows}
    return [
        _with_weight(swept, weight).model_copy(
            update={
                "name": f"{swept.name}-beta-{weight:g}",
                "label": f"{swept.label or swept.name}, β = {weight:g}",
            }
        )
        for weight in recipe.sweep.refinement_weights
        if weight not in known
    ]


def _with_weight(row: RowRecipe, weight: float) -> RowRecipe:
    if not isinstance(row.objective, Real):
        raise TypeError(f"row {row.name!r} has no refinement weight")
    objective = row.objective.model_copy(update={"refinement_weight": weight})
    return row.model_copy(update={"objective": objective})
