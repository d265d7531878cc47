"""What the routes work with, as FastAPI hands it to them."""

from typing import Annotated

from fastapi import Depends, Request

from moderation.access.keys import ApiKey
from moderation.route_services import RouteServices


async def _services(request: Request) -> RouteServices:
    found: RouteServices = request.app.state.services
    return found


async def _caller(request: Request) -> ApiKey:
    found: ApiKey = request.state.key
    return found


Services = Annotated[RouteServices, Depends(_services)]
Caller = Annotated[ApiKey, Depends(_caller)]
