"""Files by URL, one or many; off unless the deployment allows it."""

import csv
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from moderation.api.fields import Body as BodyModel
from moderation.api.fields import View
from moderation.api.guard import GuardedRoute, StreamRoute, bounded
from moderation.api.idempotency import Once, Repeatable, RepeatableStream, digest_of
from moderation.api.item_views import ItemView, ReferenceBody, show_item
from moderation.api.problems import InvalidRequest, Switched, UnknownType, documented
from moderation.api.services import Caller, Services
from moderation.casework.fetching import fetch
from moderation.errors import TypedError
from moderation.intake.blobs import Blob
from moderation.intake.declaring import REFERENCES_MAX, reference_rows
from moderation.intake.errors import SubmissionError
from moderation.intake.submission import submit
from moderation.intake.types import Source
from moderation.route_services import RouteServices

router = APIRouter(prefix="/v1/references", route_class=GuardedRoute, tags=["items"])
batch_router = APIRouter(prefix="/v1/references", route_class=StreamRoute, tags=["items"])
_ERRORS = documented(400, 401, 403, 409, 413, 415, 422, 429, 502, 503)

BATCH_MAX = REFERENCES_MAX


class BatchBody(BodyModel):
    """Up to 50 references."""

    items: Annotated[list[ReferenceBody], Field(min_length=1, max_length=BATCH_MAX)]


_BATCH = TypeAdapter(BatchBody)

_SCHEMA = BatchBody.model_json_schema(ref_template="#/components/schemas/{model}")
# `POST /v1/references` has put it among the components.
del _SCHEMA["$defs"]

_BATCH_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA},
            "text/csv": {
                "schema": {"type": "string"},
                "example": "url,name\nhttps://media.example.org/clip.mp4,clip.mp4\n",
            },
        },
    }
}


class RefusedReference(View):
    """Why a reference was not taken."""

    code: str
    found: str
    expected: str
    remedy: str


class BatchEntry(View):
    """What became of one reference: an item, or a reason."""

    url: str
    item: ItemView | None
    error: RefusedReference | None


class BatchView(View):
    """In the order of the request."""

    results: list[BatchEntry]


@router.post(
    "",
    status_code=201,
    summary="Hand in a file by URL",
    response_model=ItemView,
    responses=_ERRORS,
)
def by_reference(
    services: Services, caller: Caller, once: Repeatable, body: ReferenceBody
) -> Response:
    """The server fetches it from a public address: never from a private one, whatever the name
    resolves to, and no more bytes than an upload may have. 403 where the deployment has it off.
    """
    _require_allowed(services)
    if (known := once.known()) is not None:
        return known
    with services.blobs.keeping():
        blob = _fetch(services, body.url)
        new = body.new_item(blob.sha256, blob.size_bytes, caller.name, Source.REFERENCE)
        answer = once.answer(
            201,
            lambda connection: show_item(submit(connection, new, now=services.clock())),
        )
    services.ring(blob.sha256)
    return answer


@batch_router.post(
    "/batches",
    summary="Hand in many files by URL",
    response_model=BatchView,
    responses=_ERRORS,
    openapi_extra=_BATCH_SCHEMA,
)
async def batch(
    request: Request, services: Services, caller: Caller, once: RepeatableStream
) -> Response:
    """JSON (`{"items": [...]}`) or CSV with a header (`url`, and any of the other fields).

    Each is fetched in turn; one that fails does not stop the others, and says why.
    """
    _require_allowed(services)
    content = await Request(request.scope, bounded(request, services.limits.body_bytes_max)).body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wanted = _read(media_type, content)
    return await run_in_threadpool(
        _take_batch, services, wanted, once.with_content(digest_of(content)), caller.name
    )


def _take_batch(services: RouteServices, wanted: BatchBody, once: Once, uploader: str) -> Response:
    if (known := once.known()) is not None:
        return known
    with services.blobs.keeping():
        fetched: list[Blob | TypedError] = []
        for one in wanted.items:
            try:
                fetched.append(_fetch(services, one.url))
            except TypedError as error:
                fetched.append(error)

        def perform(connection: Connection) -> BatchView:
            entries = []
            for one, found in zip(wanted.items, fetched, strict=True):
                if isinstance(found, TypedError):
                    why = RefusedReference(
                        code=found.code,
                        found=found.found,
                        expected=found.expected,
                        remedy=found.remedy,
                    )
                    entries.append(BatchEntry(url=one.url, item=None, error=why))
                    continue
                new = one.new_item(found.sha256, found.size_bytes, uploader, Source.REFERENCE)
                item = show_item(submit(connection, new, now=services.clock()))
                entries.append(BatchEntry(url=one.url, item=item, error=None))
            return BatchView(results=entries)

        answer = once.answer(200, perform)
    for found in fetched:
        if not isinstance(found, TypedError):
            services.ring(found.sha256)
    return answer


def _fetch(services: RouteServices, url: str) -> Blob:
    try:
        return fetch(services.blobs, services.outbound, url)
    except SubmissionError as error:
        raise InvalidRequest(error.found, expected=error.expected, remedy=error.remedy) from error


def _require_allowed(services: RouteServices) -> None:
    if not services.limits.allow_fetch:
        raise Switched(
            "an item by URL",
            expected="an upload: this deployment fetches nothing",
            remedy="Upload the file, or ask the operator for MODERATION_ALLOW_FETCH.",
        )


def _read(media_type: str, content: bytes) -> BatchBody:
    try:
        if media_type == "text/csv":
            return _BATCH.validate_python({"items": reference_rows(content)})
        if media_type in ("application/json", ""):
            return _BATCH.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InvalidRequest(
            f"{place}: {str(first.get('input'))[:200]!r}",
            expected=str(first["msg"]),
            remedy="Correct that entry.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(
            str(error), expected="CSV in UTF-8", remedy="Correct the table."
        ) from error
    raise UnknownType(
        f"a body of type {media_type[:100]!r}",
        expected="application/json or text/csv",
        remedy="Say which it is in Content-Type.",
    )
