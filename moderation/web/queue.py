"""The queue: what comes next, what is in hand, and for leads what waits."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from encoders.types import Modality
from moderation.access.keys import ApiKey
from moderation.access.role_sets import LEADERS
from moderation.database import reading, writing
from moderation.priority.lanes import Lane
from moderation.review.claims import claim, waiting_for, why_no_claim
from moderation.review.holding import count_waiting, find_task, in_hand, newest_decision
from moderation.review.listings import TaskFilter, place, waiting
from moderation.review.reviewers import find_reviewer, require_access
from moderation.review.transaction import Transaction
from moderation.review.types import Desk
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PAGE_TASKS = 25

Word = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
LANES = {str(int(lane)): int(lane) for lane in Lane}


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
        since = parts.clock() - parts.rules.undo
        undoable = newest_decision(connection, visitor.key.name, since=since)
        refusal = why_no_claim(tx, visitor.key.name)
    return page(
        request,
        "queue.html",
        desk=desk,
        head=head,
        held=held,
        counts=counts,
        undoable=undoable,
        undo_until=None if undoable is None else undoable.decided_at + parts.rules.undo,
        is_lead=visitor.key.role in LEADERS,
        refusal=refusal,
    )


@router.get("/console/queue/counts")
def show_counts(request: Request, services: Services) -> Response:
    """How much waits: a part of the page that asks for it again and again."""
    with reading(services.parts.engine) as connection:
        counts = count_waiting(connection)
    return page(request, "queue/_counts.html", counts=counts)


@router.get("/console/queue/tasks")
def list_tasks(
    request: Request,
    services: Services,
    desk: Desk = Desk.GENERAL,
    lane: Word = "",
    clause: Word = "",
    modality: Word = "",
    state: Word = "waiting",
    after: Word = "",
) -> Response:
    """What waits, in order, page by page. For leads: it shows what reviewers are not told."""
    where = TaskFilter(
        lane=LANES.get(lane),
        clause_id=clause or None,
        modality=Modality(modality) if modality in set(Modality) else None,
        is_leased=state == "leased",
    )
    with reading(services.parts.engine) as connection:
        begin = place(find_task(connection, after)) if after else None
        found = waiting(connection, desk, where=where, after=begin, limit=PAGE_TASKS + 1)
    policy = services.parts.deployment().live
    return page(
        request,
        "tasks.html",
        desk=desk,
        chosen={"lane": lane, "clause": clause, "modality": modality, "state": state},
        clauses=[one.id for one in policy.clauses],
        modalities=list(Modality),
        tasks=found[:PAGE_TASKS],
        next_after=found[PAGE_TASKS - 1].task.id if len(found) > PAGE_TASKS else None,
    )


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
