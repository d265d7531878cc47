"""Whether the server lives, whether it can work, and what it has done."""

import shutil
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field
from sqlalchemy import text

from moderation.api.guard import GuardedRoute
from moderation.api.problems import documented
from moderation.api.services import Services
from moderation.database import DatabaseBusy, reading
from moderation.route_services import RouteServices

router = APIRouter(route_class=GuardedRoute, tags=["operation"])
keyed_router = APIRouter(route_class=GuardedRoute, tags=["operation"])

DISK_BYTES_MIN = 256 * 1024 * 1024


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Readiness(BaseModel):
    """Whether work can be taken."""

    is_ready: bool
    failing: list[str] = Field(description="Parts that do not work: database, disk, runner.")


@router.get("/health/live", summary="Whether the process answers")
async def live() -> Live:
    """Needs no key and touches nothing: restart the process when it does not answer."""
    return Live()


@router.get(
    "/health/ready",
    summary="Whether work can be taken",
    responses={503: {"model": Readiness, "description": "A part does not work."}},
)
def ready(services: Services, response: Response) -> Readiness:
    """Needs no key. Send no work here while it answers 503."""
    checks: dict[str, Callable[[RouteServices], bool]] = {
        "database": _database_answers,
        "disk": _disk_has_room,
        "runner": lambda parts: parts.runner_is_alive(),
    }
    failing = [name for name, works in checks.items() if not works(services)]
    if failing:
        response.status_code = 503
    return Readiness(is_ready=not failing, failing=failing)


def _database_answers(services: RouteServices) -> bool:
    try:
        with reading(services.engine) as connection:
            return bool(connection.scalar(text("SELECT 1")))
    except DatabaseBusy:
        return False


def _disk_has_room(services: RouteServices) -> bool:
    try:
        return shutil.disk_usage(services.data).free >= DISK_BYTES_MIN
    except OSError:
        return False


@keyed_router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Prometheus text."},
        **documented(401, 403, 429, 503),
    },
)
def metrics(request: Request) -> Response:
    """Give the scraper a key of a lead (`authorization` in the scrape configuration)."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
