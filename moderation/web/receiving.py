"""Files come in from the browser: streamed to disk, and capped while they stream."""

import re

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from moderation.database import writing
from moderation.intake.blobs import Upload
from moderation.intake.declaring import Declaration
from moderation.intake.errors import (
    SubmissionError,
    UnknownItem,
    UploadError,
    UploadTooLarge,
)
from moderation.intake.listings import find_item
from moderation.intake.submission import submit
from moderation.intake.types import Item
from moderation.route_services import RouteServices
from moderation.web.context import Services, Visit
from moderation.web.guard import ConsoleStreamRoute
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleStreamRoute)
_ID = re.compile(r"[0-9a-f]{32}")


@router.post("/console/uploads")
async def receive(request: Request, services: Services, visitor: Visit) -> Response:
    """One file as the body, what is told of it in the address: as `POST /v1/items`.

    `id` there, drawn by the page, is the item's: a file that is sent again is taken in once.
    """
    declared, parts = Declaration.of(request.query_params), services.parts
    item_id = request.query_params.get("id", "")
    if not _ID.fullmatch(item_id):
        raise SubmissionError(
            "an upload without an id",
            expected="32 hexadecimal digits",
            remedy="Load the page again.",
        )
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > parts.blobs.bytes_max:
        raise UploadTooLarge(
            f"a file of {length[:20]} bytes",
            expected=f"at most {parts.blobs.bytes_max} bytes",
            remedy="Send a smaller file, or ask the operator to raise the bound.",
        )
    with await run_in_threadpool(parts.blobs.upload) as incoming:
        async for piece in request.stream():
            await run_in_threadpool(incoming.write, piece)
        item = await run_in_threadpool(
            _take_in, parts, incoming, declared, visitor.key.name, item_id
        )
    return page(request, "uploads/_taken.html", 201, item=item)


def _take_in(
    parts: RouteServices, incoming: Upload, declared: Declaration, uploader: str, item_id: str
) -> Item:
    if incoming.size_bytes == 0:
        raise UploadError("a file of no bytes", expected="media", remedy="Choose another file.")
    # From the name of the bytes to the commit of the item nothing may erase them.
    with parts.blobs.keeping():
        blob = incoming.finish()
        with writing(parts.engine) as connection:
            item = _known(connection, item_id, blob.sha256, uploader)
            if item is None:
                new = declared.new_item(blob.sha256, blob.size_bytes, uploader)
                item = submit(connection, new, now=parts.clock(), item_id=item_id)
    parts.ring(blob.sha256)
    return item


def _known(connection: Connection, item_id: str, sha256: str, uploader: str) -> Item | None:
    """What was taken in under this id before.

    Raises:
        UploadError: something else was.
    """
    try:
        item = find_item(connection, item_id)
    except UnknownItem:
        return None
    if (item.uploader, item.sha256) != (uploader, sha256):
        raise UploadError(
            "an id that another upload has", expected="a new one", remedy="Load the page again."
        )
    return item
