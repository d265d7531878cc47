"""How written answers are shown to a judge, and what a stage of training on them has."""

from pydantic import Field

from rl.strict_model import StrictModel


class PromptCharacters(StrictModel):
    """How much of each part of an item the judge is shown, in characters; the rest is cut off."""

    instruction: int = Field(4000, gt=0)
    response: int = Field(4000, gt=0)
    reference: int = Field(4000, ge=0)
    rubric: int = Field(2000, gt=0)


class TextForm(StrictModel):
    """What an item's prompt and reply hold.

    rationale_tokens_max: of the feedback; references are cut at their last whole sentence.
    """

    rationale_tokens_max: int = Field(256, gt=0)
    characters: PromptCharacters = Field(
        default_factory=lambda: PromptCharacters.model_validate({})
    )


class TextStage(StrictModel):
    """steps: of the optimiser. rate: learning rate of the adapter. checkpoint_steps: after so many
    a stopped run can go on."""

    steps: int = Field(gt=0)
    rate: float = Field(2e-4, gt=0)
    warm_up_steps: int = Field(10, ge=0)
    checkpoint_steps: int = Field(25, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float = Field(1.0, gt=0)


class TextRegression(TextStage):
    """RAFT (full_share 0) or TRACT stage 1 (full_share 1); batch_items: rows a step."""

    batch_items: int = Field(8, gt=0)
    full_share: float = Field(0.0, ge=0, le=1)
    rationale_weight: float = Field(1.0, ge=0)
    mass_weight: float = Field(0.1, ge=0)
