"""Around every request: an id, a count and a duration, and an answer even to a fault."""

import logging
import re
import time
import uuid
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderation.api.metrics import METHODS, RequestMetrics
from moderation.api.problems import answer
from moderation.telemetry.tracing import span

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("moderation.api")


class RequestMiddleware:
    """ASGI; outermost. A caller's `X-Request-ID` is kept where it is a plain one."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.perf_counter(), 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: list[Any] = [*message.get("headers", ())]
                headers.append((b"x-request-id", request_id.encode()))
                headers.append((b"x-content-type-options", b"nosniff"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            with span(
                "request",
                {"http.request.method": _method(scope), "request_id": request_id},
                parent=_header(scope, b"traceparent"),
                is_server=True,
            ) as current:
                await self._app(scope, receive, told)
                if current is not None:
                    current.update_name(f"{_method(scope)} {_route(scope)}")
                    current.set_attribute("http.route", _route(scope))
                    current.set_attribute("http.response.status_code", status)
        except ClientDisconnect:
            told_of = {"request_id": request_id, "route": _route(scope)}
            _log.info("request %s was broken off by its sender", request_id, extra=told_of)
        except Exception:
            told_of = {"request_id": request_id, "route": _route(scope)}
            _log.exception("request %s failed", request_id, extra=told_of)
            if status:
                raise
            fault = {
                "code": "internal",
                "found": "a fault of the server",
                "expected": "no fault",
                "remedy": "Try again; if it lasts, report the request id to the operator.",
            }
            await answer(Request(scope), 500, fault, {})(scope, receive, told)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.note(scope["method"], _route(scope), status, seconds)


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    return given if given is not None and _ID.fullmatch(given) else uuid.uuid4().hex


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((v.decode("latin-1") for name, v in scope["headers"] if name == wanted), None)


def _route(scope: Scope) -> str:
    """As the description has it: a path with ids in it would be a measure of its own each time."""
    return getattr(scope.get("route"), "path", "none")


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "other"
