"""The one shape of every error answer, and which status each error has."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from moderation.access.errors import KeyRefused, RoleRefused, TooManyRequests
from moderation.api.byte_ranges import RangeRefused
from moderation.errors import (
    PermanentError,
    PersonalDataError,
    StatementError,
    TransientError,
    TypedError,
)
from moderation.intake.errors import (
    SubmissionError,
    UnknownItem,
    UploadBusy,
    UploadError,
    UploadTooLarge,
)
from moderation.outbound.addresses import AddressRefused, NameNotResolved
from moderation.outbound.client import RemoteError, RemoteTooLarge
from moderation.policy.activation import PolicyChanged
from moderation.policy.loading import PolicyError
from moderation.review.errors import NotFound, ReviewError
from moderation.webhooks.registry import VersionConflict, WebhookMissing


class Problem(BaseModel):
    """Every error answer."""

    code: str = Field(description="Stable name of the kind of error, for machines.")
    found: str = Field(description="What the server found.")
    expected: str = Field(description="What it expected instead.")
    remedy: str = Field(description="What to do.")
    request_id: str = Field(description="Names this request in the server's log.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "lease_expired",
                    "found": "the lease on task 5f0c has ended (expired)",
                    "expected": "a lease that is renewed in time",
                    "remedy": "Claim again; the task may be with somebody else now.",
                    "request_id": "4be1c6d2a7f04d6b8f4f3b1c2d3e4f50",
                }
            ]
        }
    )


class InvalidRequest(PermanentError):
    """A request that does not follow the interface's description."""

    code = "invalid_request"


class Missing(PermanentError):
    """Nothing of this id, or nothing that this key may see."""

    code = "not_found"


class Conflict(PermanentError):
    """Not in the present state of things."""

    code = "conflict"


class PreconditionNeeded(PermanentError):
    """A change that could undo another one: it has to say what it was made from."""

    code = "precondition_required"


class Switched(PermanentError):
    """A part of the interface that this deployment has switched off."""

    code = "switched_off"


class UnknownType(PermanentError):
    """A body of another media type than the route takes."""

    code = "unsupported_media_type"


class BodyTooLarge(HTTPException):
    """Raised while a body is read; FastAPI lets only its own kind of error through there."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {bytes_max} bytes")


STATUSES: Mapping[type[TypedError], int] = {
    KeyRefused: 401,
    RoleRefused: 403,
    Switched: 403,
    Missing: 404,
    NotFound: 404,
    WebhookMissing: 404,
    UnknownItem: 404,
    UploadError: 409,
    UploadBusy: 409,
    Conflict: 409,
    ReviewError: 409,
    PolicyChanged: 409,
    VersionConflict: 412,
    RemoteTooLarge: 413,
    UploadTooLarge: 413,
    UnknownType: 415,
    RangeRefused: 416,
    InvalidRequest: 422,
    AddressRefused: 422,
    NameNotResolved: 422,
    SubmissionError: 422,
    PolicyError: 422,
    PersonalDataError: 422,
    StatementError: 422,
    PreconditionNeeded: 428,
    TooManyRequests: 429,
    RemoteError: 502,
    TransientError: 503,
}
"""The nearest class above an error counts; an error that is not here is a fault of the server."""

DESCRIPTIONS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "No key, or one that is not in force.",
    403: "The key's role may not do this, or the deployment has switched it off.",
    404: "There is nothing of this id that this key may see.",
    405: "The path takes other methods; `Allow` names them.",
    409: "Not in the present state of things; `code` says why.",
    412: "It was changed in between: `If-Match` names an earlier version.",
    413: "The body is larger than is taken.",
    415: "The body has another media type than the route takes.",
    416: "The stretch begins behind the last byte; `Content-Range` says how long it is.",
    422: "The request does not follow this description.",
    428: "The change needs `If-Match`.",
    429: "More requests than this key may send; `Retry-After` says when to go on.",
    502: "The other server does not answer as it should.",
    503: "Try again later; `Retry-After` says when.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Entries of a route's `responses` for these error statuses."""
    return {
        status: {
            "model": Problem,
            "description": DESCRIPTIONS[status],
            **({"headers": _RETRY_AFTER} if status in (429, 503) else {}),
        }
        for status in sorted(set(statuses))
    }


_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def status_of(error: TypedError) -> int:
    """The HTTP status of an error."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def problem(request: Request, error: TypedError) -> JSONResponse:
    """The answer to an error."""
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after_seconds + 0.5)))
    elif status == 503:
        headers["Retry-After"] = "2"
    if isinstance(error, RangeRefused):
        headers["Content-Range"] = f"bytes */{error.size_bytes}"
    return answer(
        request,
        status,
        {
            "code": error.code,
            "found": error.found,
            "expected": error.expected,
            "remedy": error.remedy,
        },
        headers,
    )


def answer(
    request: Request, status: int, told: Mapping[str, str], headers: Mapping[str, str]
) -> JSONResponse:
    """An error answer; characters that JSON cannot hold are spelled out."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    clean = {key: _encodable(text) for key, text in told.items()}
    return JSONResponse(clean | {"request_id": request_id}, status, headers)


def _encodable(text: str) -> str:
    return text[:2000].encode("utf-8", "backslashreplace").decode("utf-8")


def _typed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TypedError)  # noqa: S101
    if status_of(error) == 500:
        raise error
    return problem(request, error)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    message = message.removeprefix("Input should be ").removeprefix("Input should ")
    told = InvalidRequest(
        f"{place}: {str(first.get('input'))[:200]!r}",
        expected=message,
        remedy="Correct the request; the OpenAPI description is at /openapi.json.",
    )
    return problem(request, told)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    name = HTTPStatus(error.status_code).phrase
    told = {
        "code": re.sub(r"[^a-z]+", "_", name.lower()),
        "found": f"{request.method} {request.url.path[:200]}",
        "expected": DESCRIPTIONS.get(error.status_code, name),
        "remedy": str(error.detail),
    }
    if error.status_code == 413:
        told = {
            "code": "body_too_large",
            "found": "a body that is larger than is taken",
            "expected": str(error.detail),
            "remedy": "Send less, or in several requests.",
        }
    return answer(request, error.status_code, told, error.headers or {})


def add_problem_handlers(app: FastAPI) -> None:
    """Give every error of `app` the one shape; faults go on to the middleware."""
    app.add_exception_handler(TypedError, _typed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
