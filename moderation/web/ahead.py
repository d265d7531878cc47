"""The task that most likely comes next: its media is loaded while the one in hand is looked at."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from moderation.access.role_sets import LEADERS
from moderation.database import reading
from moderation.intake.errors import UnknownItem
from moderation.intake.listings import find_item
from moderation.review import rows
from moderation.review.claims import waiting_for
from moderation.review.errors import NotFound
from moderation.review.holding import find_task, in_hand, visible_task
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, ReviewTask
from moderation.web.context import Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, Visitor
from moderation.web.media_types import shown_type
from moderation.web.shown_materials import facts_of

router = APIRouter(route_class=ConsoleRoute)


@router.get("/console/queue/ahead")
def show_ahead(services: Services, visitor: Visit, desk: Desk = Desk.GENERAL) -> Response:
    """Where its media is and which element shows it; 204 where nothing can be loaded ahead.

    What is made of its media is made now, where that was not done yet. Nothing is claimed:
    somebody else may get it, and a reserved turn may bring another.
    """
    parts = services.parts
    with reading(parts.engine) as connection:
        task = task_ahead(connection, services, visitor, desk)
        try:
            item = None if task is None else find_item(connection, task.item_id)
        except UnknownItem:
            item = None
    if task is None or item is None:
        return Response(status_code=204)
    facts_of(parts, item)
    path = parts.blobs.path(task.sha256)
    found = shown_type(path, task.modality) if path.is_file() else None
    if found is None:
        return Response(status_code=204)
    return JSONResponse({"kind": found[1], "address": f"/console/tasks/{task.id}/media"})


def task_ahead(
    connection: Connection, services: ConsoleServices, visitor: Visitor, desk: Desk
) -> ReviewTask | None:
    """The first task at `desk` that waits for a visitor who has one of that desk in hand."""
    name, parts = visitor.key.name, services.parts
    if not any(held.task.desk is desk for held in in_hand(connection, name)):
        return None
    tx = Transaction(connection, parts.clock(), parts.rules)
    head = connection.execute(waiting_for(tx, name, desk).limit(1)).one_or_none()
    return None if head is None else rows.task_record(head).task


def task_within_reach(
    connection: Connection, services: ConsoleServices, visitor: Visitor, task_id: str
) -> ReviewTask:
    """A task in the visitor's hands, or the one ahead; any, for leads.

    Raises:
        NotFound: it is none of these. That there is none looks alike.
    """
    is_lead = visitor.key.role in LEADERS
    try:
        return visible_task(connection, task_id, visitor.key.name, sees_all=is_lead).task
    except NotFound:
        ahead = task_ahead(connection, services, visitor, find_task(connection, task_id).task.desk)
        if ahead is None or ahead.id != task_id:
            raise
        return ahead
