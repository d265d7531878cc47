"""What comes before every page: session, role, the form's token; and headers after it."""

import hmac
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool

from moderation.access.errors import KeyRefused, RoleRefused, SessionEnded, TooManyRequests
from moderation.access.keys import ApiKey
from moderation.access.preferences import Preferences, find_preferences
from moderation.access.rate_limit import RateLimiter
from moderation.access.role_sets import PUBLIC
from moderation.access.sessions import (
    Session,
    SessionRules,
    find_session,
    needs_touch,
    touch_session,
)
from moderation.database import reading, writing
from moderation.errors import (
    ConfigurationError,
    PermanentError,
    StatementError,
    TransientError,
    TypedError,
)
from moderation.intake.errors import (
    SubmissionError,
    UnknownItem,
    UnknownJob,
    UploadError,
    UploadTooLarge,
)
from moderation.outbound.addresses import AddressRefused, NameNotResolved
from moderation.outbound.client import RemoteTooLarge
from moderation.review.errors import NotFound, ReviewError
from moderation.route_services import RouteServices
from moderation.web.permissions import LARGE_FORMS, MATRIX, POLLED
from moderation.web.rendering import page

FORM_BYTES_MAX, FORM_FIELDS_MAX = 64 * 1024, 200
_OF_TASK = re.compile(r"/console/tasks/[A-Za-z0-9._-]+")
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class FormRefused(PermanentError):
    """A form that no page of this session sent, or one that cannot be read."""

    code = "form_refused"


class FormIncomplete(PermanentError):
    """A form of ours without what it needs."""

    code = "form_incomplete"


STATUSES: Mapping[type[TypedError], int] = {
    SessionEnded: 401,
    KeyRefused: 401,
    RoleRefused: 403,
    FormRefused: 403,
    FormIncomplete: 422,
    NotFound: 404,
    UnknownItem: 404,
    UnknownJob: 404,
    UploadTooLarge: 413,
    RemoteTooLarge: 413,
    UploadError: 409,
    SubmissionError: 422,
    AddressRefused: 422,
    NameNotResolved: 422,
    ReviewError: 409,
    StatementError: 422,
    TooManyRequests: 429,
    TransientError: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleServices:
    """What pages work with. logins: how often an address may try to log in."""

    parts: RouteServices
    sessions: SessionRules
    logins: RateLimiter
    templates: Environment


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a session, the token it came with, and how its holder likes the console."""

    session: Session
    token: str = field(repr=False)
    preferences: Preferences

    @property
    def key(self) -> ApiKey:
        """That the session was begun with."""
        return self.session.key


class ConsoleRoute(APIRoute):
    """A page for whom `MATRIX` names."""

    takes_stream = False
    """Whether the page reads the body itself; its form token then comes in a header."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The page with all that comes before and after it."""
        inner = super().get_route_handler()
        place = next(
            (
                (method, self.path_format_of_matrix)
                for method in self.methods or ()
                if (method, self.path_format_of_matrix) in MATRIX
            ),
            None,
        )
        if place is None:
            raise ConfigurationError(
                f"the page {self.methods} {self.path} without an entry",
                expected="each page in the matrix of permissions",
                remedy="Enter it in moderation.web.permissions.",
            )
        roles, is_unsafe = MATRIX[place], place[0] != "GET"
        bytes_max = LARGE_FORMS.get(place, FORM_BYTES_MAX)

        async def handler(request: Request) -> Response:
            services: ConsoleServices = request.app.state.console
            request.state.form = {}
            request.state.visitor = None
            try:
                if is_unsafe and not self.takes_stream:
                    request.state.form = await _form(request, bytes_max)
                if roles is not PUBLIC:
                    visitor = await run_in_threadpool(_visitor, request, services, place)
                    request.state.visitor = visitor
                    if visitor.key.role not in roles:
                        raise RoleRefused(
                            f"the role {visitor.key.role}",
                            expected=f"one of {', '.join(sorted(roles))}",
                            remedy="Log in with another key.",
                        )
                    services.parts.limiter.take(visitor.key.id)
                    if is_unsafe:
                        require_form_token(request, visitor.session.form_token)
                response = await inner(request)
            except TypedError as error:
                response = _told(request, error, status_of(error))
            except RequestValidationError:
                nothing = NotFound(
                    "an address that leads nowhere",
                    expected="a page of the console",
                    remedy="Go back to the queue.",
                )
                response = _told(request, nothing, 404)
            for name, value in SECURITY_HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handler

    @property
    def path_format_of_matrix(self) -> str:
        """As the matrix has it."""
        return self.path


class ConsoleStreamRoute(ConsoleRoute):
    """A page that reads its body piece by piece."""

    takes_stream = True


def status_of(error: TypedError) -> int:
    """The HTTP status of an error.

    Raises:
        TypedError: it is a fault of the server.
    """
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    raise error


def cookie_name(request: Request, name: str = "console") -> str:
    """With the prefix that binds it to this host, where the request came by https."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def require_form_token(request: Request, expected: str) -> None:
    """Raises:
    FormRefused: the header, or else the field, is another.
    """
    given = request.headers.get("x-form-token") or request.state.form.get("form_token", "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise FormRefused(
            "a form without this session's token",
            expected="a form of a page that was opened in this session",
            remedy="Load the page again.",
        )


def _visitor(request: Request, services: ConsoleServices, place: tuple[str, str]) -> Visitor:
    token = request.cookies.get(cookie_name(request), "")
    now = services.parts.clock()
    with reading(services.parts.engine) as connection:
        session = find_session(connection, token, services.sessions, now)
        preferences = find_preferences(connection, session.key.name)
    if place not in POLLED and needs_touch(session, now):
        with writing(services.parts.engine) as connection:
            touch_session(connection, token, now)
    return Visitor(session, token, preferences)


async def _form(request: Request, bytes_max: int) -> Mapping[str, str]:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            raise _unread(bytes_max)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX
        )
    except ValueError as error:
        raise _unread(bytes_max) from error
    return {name: value.replace("\0", "") for name, value in pairs}


def _unread(bytes_max: int) -> FormRefused:
    return FormRefused(
        "a form that cannot be read",
        expected=f"at most {bytes_max} bytes of fields",
        remedy="Write less.",
    )


def is_part(request: Request) -> bool:
    """Whether a script of ours asks, for a part of its page."""
    return request.headers.get("hx-request") == "true"


def _told(request: Request, error: TypedError, status: int) -> Response:
    if status == 401 and not is_part(request):
        # Back to the task that a form was sent from: the note that was typed waits there.
        task = _OF_TASK.match(request.url.path)
        back = request.url.path if request.method == "GET" else task[0] if task else "/console"
        return RedirectResponse(f"/console/login?back={quote(back)}", 303)
    response = page(
        request,
        "_problem.html" if is_part(request) else "problem.html",
        status,
        error=error,
        shown_status=status,
    )
    if is_part(request):
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_seconds + 0.5)))
    return response
