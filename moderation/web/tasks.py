"""One task: its media, its evidence, and the lease on it."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from moderation.database import reading, writing
from moderation.review import leases
from moderation.review.errors import NotFound
from moderation.web.ahead import task_within_reach
from moderation.web.context import Form, PathId, Services, Visit
from moderation.web.guard import ConsoleRoute
from moderation.web.item_page import page_context
from moderation.web.media_types import shown_type
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
GRACE = timedelta(seconds=90)
"""From leaving a page to the end of its lease: whoever loads it again renews in time."""


@router.get("/console/tasks/{task_id}")
def show_task(request: Request, services: Services, visitor: Visit, task_id: PathId) -> Response:
    """To decide, for whoever holds it; to read, for leads."""
    return page(request, "item.html", **page_context(services, visitor, task_id))


@router.get("/console/tasks/{task_id}/media")
def show_media(services: Services, visitor: Visit, task_id: PathId) -> Response:
    """The bytes, whole or a range; with the type that they have, and no right to do anything."""
    with reading(services.parts.engine) as connection:
        task = task_within_reach(connection, services, visitor, task_id)
    path = services.parts.blobs.path(task.sha256)
    if not path.is_file():
        raise NotFound(
            f"no media of task {task_id}",
            expected="media that were not erased",
            remedy="Decide without, or hand the task to the lead.",
        )
    shown = shown_type(path, task.modality)
    return FileResponse(
        path,
        media_type="application/octet-stream" if shown is None else shown[0],
        headers={
            "Content-Disposition": "attachment" if shown is None else "inline",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )


@router.post("/console/tasks/{task_id}/renew", status_code=204)
def renew(services: Services, visitor: Visit, form: Form, task_id: PathId) -> None:
    """The reviewer is at it."""
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        leases.require_own(tx, token, visitor.key.name)
        leases.renew(tx, token)


@router.post("/console/tasks/{task_id}/leave", status_code=204)
def leave(services: Services, visitor: Visit, form: Form, task_id: PathId) -> None:
    """The page was left: the task waits again soon, unless the page is loaded again."""
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        leases.require_own(tx, token, visitor.key.name)
        leases.let_lapse(tx, token, GRACE)


@router.post("/console/tasks/{task_id}/release")
def release(services: Services, visitor: Visit, form: Form, task_id: PathId) -> Response:
    """Give it back to its place."""
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        leases.require_own(tx, token, visitor.key.name)
        leases.release(tx, token)
    return RedirectResponse("/console/queue", 303)
