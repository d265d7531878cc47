"""Decisions: taken, taken back, left to others. After each the next task is claimed."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from moderation.access.keys import ApiKey
from moderation.database import writing
from moderation.review import leases
from moderation.review.decisions import decide, decide_group, undo
from moderation.review.errors import ReviewError
from moderation.review.holding import find_task
from moderation.review.types import Action, Desk, Finding, Verdict
from moderation.web.context import Form, PathId, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, FormIncomplete
from moderation.web.queue import next_address

router = APIRouter(route_class=ConsoleRoute)
NOTE_CHARACTERS_MAX = 5000


@router.post("/console/tasks/{task_id}/decision")
def take(services: Services, visitor: Visit, form: Form, task_id: PathId) -> Response:
    """One finding; `choice` is VERDICT:ACTION:REASON of a button, or else the fields say it."""
    chosen = form.get("choice", "").split(":")
    if len(chosen) != 3:
        chosen = [form.get(name, "") for name in ("verdict", "action", "reason_code")]
    note = form.get("note", "")[:NOTE_CHARACTERS_MAX]
    try:
        finding = Finding(Verdict(chosen[0]), Action(chosen[1]), chosen[2][:64], note)
    except ValueError as error:
        raise FormIncomplete(
            "a decision without verdict, action or reason",
            expected="one of each",
            remedy="Choose one of the buttons.",
        ) from error
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        desk = find_task(connection, task_id).task.desk
        leases.require_own(tx, token, visitor.key.name)
        if form.get("for_group"):
            decide_group(tx, token, finding)
        else:
            decide(tx, token, finding, wants_second=bool(form.get("wants_second")))
    return _go_on(services, visitor.key, desk)


@router.post("/console/tasks/{task_id}/skip")
def skip(services: Services, visitor: Visit, form: Form, task_id: PathId) -> Response:
    """Leave it to others for a while."""
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        desk = find_task(connection, task_id).task.desk
        leases.require_own(tx, token, visitor.key.name)
        leases.skip(tx, token)
    return _go_on(services, visitor.key, desk)


@router.post("/console/tasks/{task_id}/escalate")
def escalate(services: Services, visitor: Visit, form: Form, task_id: PathId) -> Response:
    """Hand it to the lead, with the note."""
    parts, token = services.parts, form.get("token", "")
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        desk = find_task(connection, task_id).task.desk
        leases.require_own(tx, token, visitor.key.name)
        leases.escalate(tx, token, form.get("note", "")[:NOTE_CHARACTERS_MAX])
    return _go_on(services, visitor.key, desk)


@router.post("/console/decisions/{decision_id}/undo")
def take_back(services: Services, visitor: Visit, form: Form, decision_id: PathId) -> Response:
    """Back to the task; the one that was claimed since goes back to its place."""
    parts = services.parts
    with writing(parts.engine) as connection, parts.reviewing(connection, visitor.key) as tx:
        if form.get("token"):
            leases.require_own(tx, form["token"], visitor.key.name)
            leases.release(tx, form["token"])
        claimed = undo(tx, decision_id, visitor.key.name)
    return RedirectResponse(f"/console/tasks/{claimed.task.id}", 303)


def _go_on(services: ConsoleServices, key: ApiKey, desk: Desk) -> Response:
    """What was done stands; a claim that is refused, such as for a break, is told by the queue."""
    try:
        return RedirectResponse(next_address(services, key, desk), 303)
    except ReviewError:
        return RedirectResponse("/console/queue", 303)
