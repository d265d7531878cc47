"""What a page asks for in its signature."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from moderation.web.guard import ConsoleServices, Visitor

PathId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Days = Annotated[int, Query(ge=1, le=366)]
"""Length of a period that ends now."""
Cursor = Annotated[str, Query(max_length=120)]
"""Where a listing goes on, see `moderation.web.cursors`."""


async def _services(request: Request) -> ConsoleServices:
    found: ConsoleServices = request.app.state.console
    return found


async def _visitor(request: Request) -> Visitor:
    found: Visitor = request.state.visitor
    return found


async def _form(request: Request) -> Mapping[str, str]:
    found: Mapping[str, str] = request.state.form
    return found


Services = Annotated[ConsoleServices, Depends(_services)]
Visit = Annotated[Visitor, Depends(_visitor)]
Form = Annotated[Mapping[str, str], Depends(_form)]
