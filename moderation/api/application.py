"""Puts the routes together into one application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from prometheus_client import CollectorRegistry

from moderation import __version__
from moderation.api import (
    appeals,
    audit,
    decisions,
    golden,
    health,
    item_materials,
    items,
    leases,
    me,
    policy,
    queue,
    references,
    reviewers,
    statements,
    statistics,
    uploads,
    webhooks,
)
from moderation.api.gauges import CalibrationCollector, JobCollector, ReviewLevelCollector
from moderation.api.metrics import QueueCollector, RequestMetrics
from moderation.api.permissions import MATRIX
from moderation.api.problems import add_problem_handlers
from moderation.api.requests import RequestMiddleware
from moderation.errors import ConfigurationError
from moderation.route_services import RouteServices
from moderation.telemetry.measures import ProcessMeasures
from moderation.telemetry.observers import observing

_KEYED = (
    me.router,
    uploads.router,
    references.router,
    references.batch_router,
    items.router,
    item_materials.router,
    queue.router,
    leases.router,
    decisions.router,
    golden.router,
    reviewers.router,
    appeals.router,
    policy.router,
    statistics.router,
    audit.router,
    statements.router,
    webhooks.router,
)

DESCRIPTION = """\
Hand in media, ask what became of it, and work the review queue.

Every request but the health checks needs a key: `Authorization: Bearer KEY`. Every error answer has
one shape, with a stable `code`. `POST`s that change something take an `Idempotency-Key`: the same
request with the same key is answered again and not done again. Listings go page by page with
`cursor`. Times are UTC.
"""


def create_app(
    services: RouteServices,
    *,
    running: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> FastAPI:
    """The application. running: what has to run beside it, entered at start, left at the end.

    Raises:
        ConfigurationError: a route that the matrix of permissions does not have, or the reverse.
    """
    registry = CollectorRegistry()
    for collector in (
        QueueCollector(services.engine),
        JobCollector(services.engine, services.clock),
        ReviewLevelCollector(services.engine, services.clock),
        CalibrationCollector(services.engine, services.clock, services.rules),
    ):
        registry.register(collector)
    measures = ProcessMeasures(registry)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with observing(measures), running():
            yield

    app = FastAPI(
        # Its own spans have queries, and so names of files, and its logs what strangers wrote.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        title="real-moderation",
        version=__version__,
        summary="Authenticity of media: scores, triage and review.",
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.services = services
    app.state.registry = registry
    bearer = HTTPBearer(
        auto_error=False,
        scheme_name="key",
        description="A key of `moderation keys create`.",
    )
    app.include_router(health.router)
    app.include_router(health.keyed_router, dependencies=[Security(bearer)])
    for router in _KEYED:
        app.include_router(router, dependencies=[Security(bearer)])
    add_problem_handlers(app)
    app.add_middleware(RequestMiddleware, metrics=RequestMetrics(registry))
    _require_matrix(app)
    _require_versions(app)
    return app


def operations(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every operation of the description."""
    return {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }


def _require_matrix(app: FastAPI) -> None:
    differing = operations(app) ^ set(MATRIX)
    if differing:
        raise ConfigurationError(
            f"routes and permissions differ at {sorted(differing)}",
            expected="each route in the matrix of permissions, and none else",
            remedy="Correct moderation.api.permissions.",
        )


def _require_versions(app: FastAPI) -> None:
    """Describe `If-Match` as what it is: without it, the answer is 428 and not 422."""
    for methods in app.openapi()["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "If-Match":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "maxLength": 200}


def _operation_id(route: APIRoute) -> str:
    module: Any = route.endpoint.__module__
    return f"{module.rpartition('.')[2]}_{route.endpoint.__name__}"
