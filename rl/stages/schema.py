"""The stages that a recipe may list."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from moderation.types import Mode
from rl.baselines.absolute_error import AbsoluteError
from rl.baselines.real import ClaimedReal, Real
from rl.baselines.squared_error import SquaredError
from rl.baselines.zero_one import ZeroOne
from rl.strict_model import StrictModel
from rl.text_judge.schema import TextForm, TextRegression

Objective = Annotated[ZeroOne | AbsoluteError | SquaredError | Real, Field(discriminator="kind")]
MediaObjective = Annotated[Objective | ClaimedReal, Field(discriminator="kind")]
"""A judge of media can be held to what it claims, too."""


class StageRecipe(StrictModel):
    """What all stages have.

    steps: of the optimiser. projector_rate, adapter_rate: learning rates. warm_up_steps: over
    which the rates rise. checkpoint_steps: from one checkpoint to the next.

    validate_steps: from one validation to the next, None for none. validate_items: how many items
    of the split, drawn by the seed, None for all. validate_mode: fast or full. patience: how many
    validations without a better Spearman correlation stop the stage, None for no end. With
    validation the stage ends with the weights of its best one.
    """

    steps: int = Field(gt=0)
    projector_rate: float = Field(1e-3, gt=0)
    adapter_rate: float = Field(2e-4, gt=0)
    warm_up_steps: int = Field(30, ge=0)
    weight_decay: float = Field(0.01, ge=0)
    gradient_clip: float = Field(1.0, gt=0)
    checkpoint_steps: int = Field(50, gt=0)
    validate_steps: int | None = Field(None, gt=0)
    validate_items: int | None = Field(None, gt=1)
    validate_mode: Mode = Mode.FAST
    patience: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _patience_needs_validation(self) -> Self:
        if self.validate_steps is None and self.patience is not None:
            raise ValueError("patience without validate_steps: there is nothing to wait for")
        return self


class SupervisedStage(StageRecipe):
    """A stage with a given rationale, or none.

    batch_items: about how many items a step. full_share: of batches whose score stands behind a
    rationale. rationale_weight: of the rationale's own cross entropy.
    """

    batch_items: int = Field(8, gt=0)
    full_share: float = Field(0.4, ge=0, le=1)
    rationale_weight: float = Field(1.0, ge=0)


class RegressionStage(SupervisedStage):
    """RAFT in fast mode, TRACT stage 1 in full mode; mass_weight: of the penalty on digit mass."""

    kind: Literal["regression"]
    mass_weight: float = Field(0.1, ge=0)


class CrossEntropyStage(SupervisedStage):
    """The same with the cross entropy of the score token (CE decode, SFT)."""

    kind: Literal["cross_entropy"]


class SelfRationaleStage(SupervisedStage):
    """TRACT stage 2: from the untrained judge, with rationales that the judge so far writes.

    rationales: that it samples for each item. write_items: items that write at once.
    """

    kind: Literal["self_rationale"]
    mass_weight: float = Field(0.1, ge=0)
    rationales: int = Field(2, gt=0)
    write_items: int = Field(16, gt=0)


class TextJudgeStage(TextRegression):
    """The adapter alone learns to grade written answers, before or between stages on media.

    files: of graded answers, relative to a folder of sources, as `text-sources.toml` fetches them.
    """

    kind: Literal["text_judge"]
    files: tuple[str, ...] = Field(min_length=1)
    form: TextForm = Field(default_factory=lambda: TextForm.model_validate({}))


class RolloutsShape(StrictModel):
    """How many rollouts a step takes, and how they fit into memory.

    step_items: items a step; rollouts_G: rationales an item. parts: of a step's rollouts that run
    through the model one after the other, to save memory; recompute_activations saves more.
    """

    step_items: int = Field(4, gt=0)
    rollouts_G: int = Field(8, gt=1)
    parts: int = Field(1, gt=0)
    recompute_activations: bool = False

    @model_validator(mode="after")
    def _parts_divide_the_step(self) -> Self:
        if self.step_items * self.rollouts_G % self.parts:
            raise ValueError(
                f"parts = {self.parts} does not divide the step's "
                f"{self.step_items} x {self.rollouts_G} rollouts"
            )
        return self


class RolloutsStage(StageRecipe, RolloutsShape):
    """Reinforcement learning on rollouts of the judge itself, in full mode."""

    kind: Literal["rollouts"]
    validate_mode: Mode = Mode.FULL
    objective: MediaObjective


Stage = Annotated[
    RegressionStage | CrossEntropyStage | SelfRationaleStage | TextJudgeStage | RolloutsStage,
    Field(discriminator="kind"),
]
