"""Adds the console to the application of the API."""

from fastapi import APIRouter, FastAPI

from moderation.access.rate_limit import Rate, RateLimiter
from moderation.access.sessions import SessionRules
from moderation.errors import ConfigurationError
from moderation.route_services import RouteServices
from moderation.web import (
    ahead,
    bulk_decisions,
    decisions,
    entrance,
    lead_pages,
    materials,
    queue,
    receiving,
    references,
    settings,
    tasks,
    uploads,
    waiting,
)
from moderation.web.guard import ConsoleServices
from moderation.web.permissions import MATRIX
from moderation.web.rendering import build_templates

LOGINS = Rate(per_second=0.5, burst=30)


def add_console(
    app: FastAPI,
    services: RouteServices,
    *,
    sessions: SessionRules | None = None,
    logins: Rate = LOGINS,
) -> None:
    """Serve the console under `/console`.

    Raises:
        ConfigurationError: a page that the matrix of permissions does not have, or the reverse.
    """
    app.state.console = ConsoleServices(
        parts=services,
        sessions=sessions or SessionRules(),
        logins=RateLimiter(logins),
        templates=build_templates(),
    )
    routers = (
        *(
            one.router
            for one in (
                entrance,
                queue,
                ahead,
                tasks,
                materials,
                decisions,
                waiting,
                bulk_decisions,
                settings,
                uploads,
                receiving,
                references,
            )
        ),
        *lead_pages.ROUTERS,
    )
    differing = {place for router in routers for place in _places(router)} ^ set(MATRIX)
    if differing:
        raise ConfigurationError(
            f"pages and permissions differ at {sorted(differing)}",
            expected="each page in the matrix of permissions, and none else",
            remedy="Correct moderation.web.permissions.",
        )
    for router in routers:
        app.include_router(router, include_in_schema=False)


def _places(router: APIRouter) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in router.routes
        for method in getattr(route, "methods", ())
        if hasattr(route, "path")
    }
