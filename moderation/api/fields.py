"""Kinds of fields that several resources share, each bounded to what the database can hold."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"


def _in_range(moment: datetime) -> datetime:
    if not 2000 <= moment.year < 2200:
        raise ValueError("a year from 2000 to 2199")
    return moment


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("text without null characters")
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""A time with its zone; answers are in UTC."""

Words = Annotated[str, Field(max_length=5000), AfterValidator(_without_null)]
"""Free text."""

Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
PathId = Annotated[str, Path(pattern=IDENTIFIER, description="An id that the server gave.")]


class Body(BaseModel):
    """What a caller sends: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What the server shows."""

    model_config = ConfigDict(from_attributes=True)
