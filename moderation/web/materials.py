"""The pieces of an item's materials, its captions, and the part of the page that shows them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from moderation.casework.showing import materials_of, setup_of
from moderation.database import reading, writing
from moderation.intake.errors import UnknownItem
from moderation.intake.listings import find_item
from moderation.intake.types import Item
from moderation.materials.store import MaterialsDamaged, is_piece_name
from moderation.review import leases
from moderation.review.errors import NotFound
from moderation.review.first_views import form_view
from moderation.review.types import Verdict
from moderation.web.captions import web_vtt
from moderation.web.context import Form, PathId, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, FormIncomplete, Visitor, is_part
from moderation.web.item_page import evidence_context, in_sight
from moderation.web.rendering import page
from moderation.web.shown_materials import State, ask, facts_of

router = APIRouter(route_class=ConsoleRoute)
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "json": "application/json"}
_SHUT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@router.get("/console/tasks/{task_id}/evidence")
def show_evidence(
    request: Request, services: Services, visitor: Visit, task_id: PathId
) -> Response:
    """What stands under the media, once it is made; until then nothing (204), to ask again."""
    context = evidence_context(services, visitor, task_id)
    if context["materials"].state is State.WAITING:
        return Response(status_code=204)
    return page(request, "item/_evidence.html", **context)


@router.get("/console/tasks/{task_id}/materials/{name}")
def show_piece(
    services: Services,
    visitor: Visit,
    task_id: PathId,
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,79}\.(png|jpg|json)$")],
) -> Response:
    """Made by this server, never a byte of what was uploaded; for whoever may see the task."""
    parts, item = services.parts, _item(services, visitor, task_id)
    setup = setup_of(parts.deployment())
    try:
        found = is_piece_name(name) and materials_of(parts.blobs).piece(item.sha256, setup, name)
    except MaterialsDamaged:
        ask(parts, item)
        raise
    if not found:
        raise NotFound(
            f"no {name} of task {task_id}",
            expected="a piece that the page names",
            remedy="Load the page again.",
        )
    return Response(found, media_type=_TYPES[name.rpartition(".")[2]], headers=_SHUT)


@router.get("/console/tasks/{task_id}/captions")
def show_captions(services: Services, visitor: Visit, task_id: PathId) -> Response:
    """The machine's transcript as the player takes it."""
    _, facts = facts_of(services.parts, _item(services, visitor, task_id))
    transcript = None if facts is None else facts["transcript"]
    if transcript is None:
        raise NotFound(
            f"no transcript of task {task_id}",
            expected="media with speech, and a recogniser",
            remedy="Listen to it.",
        )
    return Response(web_vtt(transcript["segments"]), media_type="text/vtt", headers=_SHUT)


@router.post("/console/tasks/{task_id}/view")
def keep_view(
    request: Request, services: Services, visitor: Visit, form: Form, task_id: PathId
) -> Response:
    """What the reviewer holds of it so far; answered with what was hidden until then."""
    try:
        verdict = Verdict(form.get("view", ""))
    except ValueError as error:
        raise FormIncomplete(
            "a view that is none",
            expected=f"one of {', '.join(Verdict)}",
            remedy="Choose one of the buttons.",
        ) from error
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        leases.require_own(tx, token, visitor.key.name)
        form_view(tx, token, verdict)
    if not is_part(request):
        return RedirectResponse(f"/console/tasks/{task_id}", 303)
    context = evidence_context(services, visitor, task_id, is_fresh=True)
    return page(request, "item/_evidence.html", **context)


def _item(services: ConsoleServices, visitor: Visitor, task_id: str) -> Item:
    with reading(services.parts.engine) as connection:
        task = in_sight(connection, services, visitor, task_id).record.task
        try:
            return find_item(connection, task.item_id)
        except UnknownItem as error:
            raise NotFound(
                f"no item of task {task_id}",
                expected="an item that is kept",
                remedy="Decide without, or hand the task to the lead.",
            ) from error
