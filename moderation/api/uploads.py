"""Files come in: streamed to disk, never held in memory, and capped while they stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool

from moderation.api.guard import StreamRoute
from moderation.api.idempotency import Once, RepeatableStream
from moderation.api.item_views import ItemFacts, ItemView, QueryFacts, UploadView, show_item
from moderation.api.problems import InvalidRequest, documented
from moderation.api.services import Caller, Services
from moderation.database import reading
from moderation.intake import rows
from moderation.intake.blobs import Blob, Upload
from moderation.intake.errors import UploadTooLarge
from moderation.intake.submission import submit
from moderation.intake.tables import items
from moderation.intake.types import Item, NewItem
from moderation.route_services import RouteServices

router = APIRouter(prefix="/v1", route_class=StreamRoute, tags=["items"])
_ERRORS = documented(401, 403, 409, 413, 422, 429, 503)
_WRITE_BYTES = 1 << 20

Digest = Annotated[
    str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the whole file, hexadecimal.")
]


def _binary(length_min: int) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "description": "The bytes of the file, as they are.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "minLength": length_min}}
            },
        }
    }


@router.post(
    "/items",
    status_code=201,
    summary="Upload a file",
    response_model=ItemView,
    responses=_ERRORS,
    openapi_extra=_binary(1),
)
async def upload(
    request: Request,
    services: Services,
    caller: Caller,
    once: RepeatableStream,
    facts: QueryFacts,
    content_sha256: Annotated[
        str | None,
        Header(
            alias="Content-SHA256",
            pattern=r"^[0-9a-f]{64}$",
            description="Of the bytes; they are refused where it does not fit.",
        ),
    ] = None,
) -> Response:
    """`curl --data-binary @FILE`. The item waits for its score; ask for its status."""
    _require_room(request, services, 0)
    with await run_in_threadpool(services.blobs.upload, sha256=content_sha256) as incoming:
        await _stream(request, incoming)
        return await run_in_threadpool(_take_in, services, incoming, once, facts, caller.name)


@router.get("/uploads/{sha256}", summary="How far an upload has come", responses=_ERRORS)
def progress(services: Services, caller: Caller, sha256: Digest) -> UploadView:
    """Where to go on; your own upload only. `item` is there when it was completed before."""
    with reading(services.engine) as connection:
        row = connection.execute(
            select(items)
            .where(items.c.sha256 == sha256, items.c.uploader == caller.name)
            .order_by(items.c.created_at.desc())
            .limit(1)
        ).one_or_none()
    there = services.blobs.there(caller.name, sha256)
    item = None if row is None or there else show_item(rows.item(row))
    return UploadView(sha256=sha256, offset=there if item is None else item.size_bytes, item=item)


@router.put(
    "/uploads/{sha256}",
    status_code=202,
    summary="Upload a file, or go on with it",
    response_model=UploadView,
    responses={201: {"model": UploadView, "description": "The file is whole."}, **_ERRORS},
    openapi_extra=_binary(0),
)
async def resume(
    request: Request,
    services: Services,
    caller: Caller,
    once: RepeatableStream,
    facts: QueryFacts,
    sha256: Digest,
    upload_length: Annotated[
        int,
        Header(alias="Upload-Length", ge=1, le=2**53, description="Bytes of the whole file."),
    ],
    upload_offset: Annotated[
        int, Header(alias="Upload-Offset", ge=0, le=2**53, description="Where these bytes begin.")
    ] = 0,
) -> Response:
    """What arrives is kept, even if the connection breaks; ask how far it has come, and go on.

    201 with the item when the file is whole; 202 while bytes are missing.
    """
    if (known := await run_in_threadpool(once.known)) is not None:
        return known
    if upload_length > services.blobs.bytes_max:
        raise _too_large(services)
    _require_room(request, services, upload_offset)
    with await run_in_threadpool(
        services.blobs.resume, caller.name, sha256, offset=upload_offset
    ) as incoming:
        await _stream(request, incoming, until=upload_length)
        if incoming.size_bytes < upload_length:
            view = UploadView(sha256=sha256, offset=incoming.size_bytes, item=None)
            return Response(view.model_dump_json(), 202, media_type="application/json")
        return await run_in_threadpool(
            _take_in_resumed, services, incoming, once, facts, caller.name
        )


async def _stream(request: Request, incoming: Upload, until: int | None = None) -> None:
    held = bytearray()
    try:
        async for piece in request.stream():
            held += piece
            if until is not None and incoming.size_bytes + len(held) > until:
                raise InvalidRequest(
                    f"more than the {until} bytes of Upload-Length",
                    expected="that many",
                    remedy="Correct Upload-Length, or the offset.",
                )
            if len(held) >= _WRITE_BYTES:
                await run_in_threadpool(incoming.write, bytes(held))
                held.clear()
    finally:
        # What came before a broken connection counts too.
        if held and (until is None or incoming.size_bytes + len(held) <= until):
            await run_in_threadpool(incoming.write, bytes(held))


def _take_in(
    services: RouteServices, incoming: Upload, once: Once, facts: ItemFacts, uploader: str
) -> Response:
    if incoming.size_bytes == 0:
        raise InvalidRequest(
            "a body of no bytes", expected="a file", remedy="Send it with --data-binary @FILE."
        )
    # From the name of the bytes to the commit of the item nothing may erase them.
    with services.blobs.keeping():
        blob = incoming.finish()
        new = facts.new_item(blob.sha256, blob.size_bytes, uploader)
        answer = once.with_content(blob.sha256).answer(
            201, lambda connection: show_item(_submit(services, connection, new))
        )
    services.ring(blob.sha256)
    return answer


def _take_in_resumed(
    services: RouteServices, incoming: Upload, once: Once, facts: ItemFacts, uploader: str
) -> Response:
    with services.blobs.keeping():
        blob: Blob = incoming.finish()
        new = facts.new_item(blob.sha256, blob.size_bytes, uploader)

        def perform(connection: Connection) -> UploadView:
            item = show_item(_submit(services, connection, new))
            return UploadView(sha256=blob.sha256, offset=blob.size_bytes, item=item)

        answer = once.answer(201, perform)
    services.ring(blob.sha256)
    return answer


def _submit(services: RouteServices, connection: Connection, new: NewItem) -> Item:
    return submit(connection, new, now=services.clock())


def _require_room(request: Request, services: RouteServices, offset: int) -> None:
    """Refuse at once what says that it is too large; the rest shows while it streams."""
    length = request.headers.get("content-length", "")
    is_known = length.isascii() and length.isdigit()
    if is_known and offset + int(length[:20]) > services.blobs.bytes_max:
        raise _too_large(services)


def _too_large(services: RouteServices) -> UploadTooLarge:
    return UploadTooLarge(
        f"a file of more than {services.blobs.bytes_max} bytes",
        expected=f"at most {services.blobs.bytes_max} bytes",
        remedy="Send a smaller file, or ask the operator to raise the bound.",
    )
