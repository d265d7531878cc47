"""What reviewers look at: the media themselves, and what was made of them."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from pydantic import Field

from encoders.media_types import media_type
from moderation.api.byte_ranges import file_response
from moderation.api.fields import PathId, View
from moderation.api.guard import GuardedRoute
from moderation.api.items import visible_item
from moderation.api.problems import Missing, documented
from moderation.api.services import Caller, Services
from moderation.casework.showing import ask_for_materials, materials_of, setup_of
from moderation.database import reading, writing
from moderation.intake.types import Item
from moderation.materials.store import MaterialsDamaged, is_piece_name
from moderation.route_services import RouteServices

router = APIRouter(prefix="/v1/items", route_class=GuardedRoute, tags=["items"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
# Whatever a browser makes of it: no script, no form, no origin, nothing loaded. That it must not
# guess the type is said of every answer, see `RequestMiddleware`.
_SHUT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "inline",
}
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "json": "application/json"}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


class MaterialsState(StrEnum):
    """READY: they are there. WAITING: they are being made. NONE: there will be none."""

    READY = "ready"
    WAITING = "waiting"
    NONE = "none"


class MaterialsView(View):
    """Everything that is shown of an item; texts in it come from strangers and from models."""

    item_id: str
    state: MaterialsState
    materials: dict[str, Any] | None = Field(
        description="Frames with heat maps, sound, scene cuts, transcript by a machine, "
        "authenticity over time, signals with typical ranges, claims with their standing."
    )
    links: dict[str, str] = Field(description="Name of a file in `materials` -> where it is.")
    media: str = Field(description="Where the media themselves are.")


@router.get("/{item_id}/materials", summary="What a reviewer looks at", responses=_ERRORS)
def materials(services: Services, caller: Caller, item_id: PathId) -> MaterialsView:
    """Those that are missing are made; ask again a little later."""
    item = _visible(services, caller, item_id)
    store, setup = materials_of(services.blobs), setup_of(services.deployment())
    try:
        facts = store.facts(item.sha256, setup)
    except MaterialsDamaged:
        facts = None
    state = MaterialsState.READY
    if facts is None:
        state = MaterialsState.WAITING if _ask(services, item) else MaterialsState.NONE
    base = f"/v1/items/{item.id}"
    names = [] if facts is None else store.names(item.sha256, setup)
    return MaterialsView(
        item_id=item.id,
        state=state,
        materials=None if facts is None else dict(facts),
        links={name: f"{base}/materials/{name}" for name in names},
        media=f"{base}/media",
    )


@router.get(
    "/{item_id}/materials/{name}",
    summary="One picture or waveform",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(_TYPES.values(), _BINARY), "description": "It."},
        304: {"description": "It is what `If-None-Match` names."},
        **_ERRORS,
    },
)
def piece(
    services: Services,
    caller: Caller,
    item_id: PathId,
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,79}\.(png|jpg|json)$")],
    if_none_match: Annotated[str | None, Header(max_length=400)] = None,
) -> Response:
    """Made by this server, never a byte of what was uploaded."""
    item = _visible(services, caller, item_id)
    setup = setup_of(services.deployment())
    try:
        found = is_piece_name(name) and materials_of(services.blobs).piece(item.sha256, setup, name)
    except MaterialsDamaged:
        _ask(services, item)
        raise
    if not found:
        raise _missing(f"no {name} of item {item.id}")
    etag = f'"{item.sha256[:16]}-{setup}"'
    told = {**_KEPT, **_SHUT, "ETag": etag}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=told)
    return Response(found, media_type=_TYPES[name.rpartition(".")[2]], headers=told)


@router.get(
    "/{item_id}/media",
    summary="The media themselves",
    response_class=Response,
    responses={
        200: {"content": {"*/*": _BINARY}, "description": "All of it."},
        206: {"content": {"*/*": _BINARY}, "description": "The stretch that `Range` names."},
        **documented(401, 403, 404, 416, 422, 429, 503),
    },
)
def media(
    services: Services,
    caller: Caller,
    item_id: PathId,
    range_header: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
    if_range: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """As they came in: hostile. Their type is told by their first bytes, never by their sender."""
    item = _visible(services, caller, item_id)
    path = services.blobs.path(item.sha256)
    try:
        return file_response(
            path,
            range_header=range_header,
            if_range=if_range,
            etag=f'"{item.sha256}"',
            media_type=media_type(path),
            headers={**_KEPT, **_SHUT},
        )
    except FileNotFoundError as error:
        raise _missing(f"no media of item {item.id}") from error


def _visible(services: RouteServices, caller: Caller, item_id: str) -> Item:
    with reading(services.engine) as connection:
        return visible_item(connection, caller, item_id)


def _ask(services: RouteServices, item: Item) -> bool:
    with writing(services.engine) as connection:
        is_asked = ask_for_materials(connection, item, now=services.clock())
    if is_asked:
        services.ring(item.sha256)
    return is_asked


def _missing(found: str) -> Missing:
    return Missing(found, expected="an item that was not erased", remedy="Ask for the materials.")
