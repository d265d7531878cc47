"""In and out: the log-in page, its end, and what every page loads."""

import hashlib
import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from moderation.access.errors import KeyRefused
from moderation.access.keys import AccessRole
from moderation.access.sessions import begin_session, end_session
from moderation.database import writing
from moderation.review.errors import NotFound
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, cookie_name, is_part, require_form_token
from moderation.web.rendering import assets, page

router = APIRouter(route_class=ConsoleRoute)
_BACK = re.compile(r"/console(/[A-Za-z0-9._-]+)*")
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_ASSETS = assets()
_TAGS = {name: f'"{hashlib.sha256(content).hexdigest()}"' for name, content in _ASSETS.items()}


@router.get("/console")
def home(visitor: Visit) -> Response:
    """Where each role begins."""
    if visitor.key.role is AccessRole.UPLOADER:
        return RedirectResponse("/console/uploads", 303)
    return RedirectResponse("/console/queue", 303)


@router.get("/console/login")
def show_login(
    request: Request, back: Annotated[str, Query(max_length=300)] = "/console"
) -> Response:
    """Asks for a key."""
    return _login_page(request, back)


@router.post("/console/login")
def log_in(request: Request, services: Services, form: Form) -> Response:
    """Begins a session, and goes where its holder wanted to go."""
    services.logins.take(request.client.host if request.client else "")
    require_form_token(request, request.cookies.get(cookie_name(request, "console_login"), ""))
    back, parts = form.get("back", ""), services.parts
    try:
        with writing(parts.engine) as connection:
            begun = begin_session(
                connection, form.get("key", "").strip(), services.sessions, parts.clock()
            )
    except KeyRefused:
        return _login_page(request, back, is_refused=True)
    response: Response = RedirectResponse(back if _BACK.fullmatch(back) else "/console", 303)
    if is_part(request):
        # The page that asked goes on with the new session's token.
        told = {"form_token": begun.session.form_token, "name": begun.session.key.name}
        response = JSONResponse(told)
    _set_cookie(request, response, "console", begun.token)
    return response


@router.post("/console/logout")
def log_out(request: Request, services: Services, visitor: Visit) -> Response:
    """Ends the session here and on the server."""
    with writing(services.parts.engine) as connection:
        end_session(connection, visitor.token)
    response = RedirectResponse("/console/login", 303)
    response.delete_cookie(
        cookie_name(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get("/console/static/{name:path}")
def static(request: Request, name: str) -> Response:
    """Bundled with the program; nothing is loaded from elsewhere, nor twice unless it changed."""
    if name not in _ASSETS:
        raise NotFound("no such file", expected="a bundled one", remedy="Load the page again.")
    headers = {"Cache-Control": "no-cache", "ETag": _TAGS[name]}
    if request.headers.get("if-none-match") == _TAGS[name]:
        return Response(status_code=304, headers=headers)
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(_ASSETS[name], media_type=media_type, headers=headers)


def _login_page(request: Request, back: str, *, is_refused: bool = False) -> Response:
    token = secrets.token_urlsafe(32)
    status = 401 if is_refused else 200
    asked = is_part(request)
    response = page(
        request,
        "_login.html" if asked else "login.html",
        status,
        back=back,
        login_token=token,
        is_refused=is_refused,
        is_part=asked,
    )
    _set_cookie(request, response, "console_login", token)
    return response


def _set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
