"""Around every request: an id, a count and a duration, and an answer even to a fault."""

import logging
import re
import time
import uuid
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderation.api.metrics import RequestMetrics
from moderation.api.problems import answer

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
            await self._app(scope, receive, told)
        except ClientDisconnect:
            _log.info("request %s was broken off by its sender", request_id)
        except Exception:
            _log.exception("request %s failed", request_id)
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
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.note(scope["method"], route, status, time.perf_counter() - began)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _ID.fullmatch(given):
                return given
    return uuid.uuid4().hex
