"""The queue: what comes next, and what is in hand."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderation.access.keys import ApiKey
from moderation.access.role_sets import LEADERS
from moderation.database import reading, writing
from moderation.review.claims import claim, waiting_for, why_no_claim
from moderation.review.holding import count_waiting, in_hand
from moderation.review.reviewers import find_reviewer, require_access
from moderation.review.transaction import Transaction
from moderation.review.types import Desk
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices
from moderation.web.rendering import page
from moderation.web.undoing import undoable_of

router = APIRouter(route_class=ConsoleRoute)


@router.get("/console/queue")
def show_queue(
    request: Request, services: Services, visitor: Visit, desk: Desk = Desk.GENERAL
) -> Response:
    """What comes next for this reviewer, as the API tells it: not which item it is."""
    parts = services.parts
    with reading(parts.engine) as connection:
        require_access(find_reviewer(connection, visitor.key.name), desk)
        tx = Transaction(connection, parts.clock(), parts.rules)
        head = connection.execute(waiting_for(tx, visitor.key.name, desk).limit(1)).one_or_none()
        held = in_hand(connection, visitor.key.name)
        counts = count_waiting(connection)
        undoable = undoable_of(connection, services, visitor)
        refusal = why_no_claim(tx, visitor.key.name)
    return page(
        request,
        "queue.html",
        desk=desk,
        head=head,
        held=held,
        counts=counts,
        undoable=undoable,
        is_lead=visitor.key.role in LEADERS,
        refusal=refusal,
    )


@router.get("/console/queue/counts")
def show_counts(request: Request, services: Services) -> Response:
    """How much waits: a part of the page that asks for it again and again."""
    with reading(services.parts.engine) as connection:
        counts = count_waiting(connection)
    return page(request, "queue/_counts.html", counts=counts)


@router.post("/console/claims")
def claim_next(services: Services, visitor: Visit, form: Form) -> Response:
    """The next task; the queue, where nothing waits."""
    wanted = form.get("desk", "")
    desk = Desk(wanted) if wanted in set(Desk) else Desk.GENERAL
    return RedirectResponse(next_address(services, visitor.key, desk), 303)


def next_address(services: ConsoleServices, key: ApiKey, desk: Desk) -> str:
    """Where the next task is, claimed for whoever asks; the queue, where nothing waits.

    Raises:
        RestDue, NotAllowed: see `moderation.review.claims.claim`.
    """
    parts = services.parts
    with writing(parts.engine) as connection, parts.reviewing(connection, key) as tx:
        claimed = claim(tx, key.name, desk)
    suffix = "" if desk is Desk.GENERAL else f"?desk={desk}"
    return f"/console/queue{suffix}" if claimed is None else f"/console/tasks/{claimed.task.id}"
