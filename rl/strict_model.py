"""The base of everything that a recipe holds."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Refuses unknown keys, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
