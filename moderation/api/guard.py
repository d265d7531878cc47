"""What comes before every route: key, role, rate, and the size and type of the body.

All of it before FastAPI reads the body, so that a stranger cannot make the server read one.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from moderation.access.errors import KeyRefused, RoleRefused
from moderation.access.keys import AccessRole, ApiKey, authenticate
from moderation.access.role_sets import PUBLIC
from moderation.api.permissions import MATRIX
from moderation.api.problems import BodyTooLarge, UnknownType
from moderation.database import reading
from moderation.errors import ConfigurationError
from moderation.route_services import RouteServices

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that lets in whom `MATRIX` names."""

    takes_stream = False
    """Whether the route itself reads the body, whatever its size and type."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        roles = _roles_of(self)
        has_body = self.body_field is not None

        async def handler(request: Request) -> Response:
            services: RouteServices = request.app.state.services
            if roles is not PUBLIC:
                key = await run_in_threadpool(_key_of, request, services)
                if key.role not in roles:
                    raise RoleRefused(
                        f"a key of role {key.role}",
                        expected=f"one of {', '.join(sorted(roles))}",
                        remedy="Use another key.",
                    )
                request.state.key = key
                services.limiter.take(key.id)
            if self.takes_stream:
                return await inner(request)
            bytes_max = services.limits.body_bytes_max
            if has_body:
                _require_json(request)
            return await inner(Request(request.scope, bounded(request, bytes_max)))

        return handler


def _roles_of(route: APIRoute) -> frozenset[AccessRole]:
    """Raises:
    ConfigurationError: the matrix does not have the route.
    """
    for method in route.methods or ():
        if (method, route.path_format) in MATRIX:
            return MATRIX[method, route.path_format]
    raise ConfigurationError(
        f"the route {route.methods} {route.path_format} without an entry",
        expected="each route in the matrix of permissions",
        remedy="Enter it in moderation.api.permissions.",
    )


class StreamRoute(GuardedRoute):
    """A guarded route that reads its body piece by piece."""

    takes_stream = True


def _key_of(request: Request, services: RouteServices) -> ApiKey:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise KeyRefused(
            "no key",
            expected="Authorization: Bearer KEY",
            remedy="Make one with `moderation keys create`.",
        )
    with reading(services.engine) as connection:
        return authenticate(connection, text.strip(), services.clock())


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json":
        raise UnknownType(
            f"a body of type {media_type[:100]!r}",
            expected="application/json",
            remedy="Send JSON, and say so in Content-Type.",
        )


def bounded(request: Request, bytes_max: int) -> Callable[[], Awaitable[Message]]:
    """The request's own `receive`, up to a number of bytes.

    Raises:
        BodyTooLarge: the body says that it is larger; or, while reading, it turns out to be.
    """
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > bytes_max:
        raise BodyTooLarge(bytes_max)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > bytes_max:
            raise BodyTooLarge(bytes_max)
        return message

    return receive
