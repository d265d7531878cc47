"""The table of a recipe that cuts a backbone short, see `rl.shortened_backbone`."""

from pydantic import Field

from rl.strict_model import StrictModel


class ShorteningRecipe(StrictModel):
    """layers: that are kept, from the first on. steps, batch_items, rate: of learning to write."""

    layers: int = Field(gt=0)
    steps: int = Field(100, gt=0)
    batch_items: int = Field(16, gt=0)
    rate: float = Field(1e-3, gt=0)
