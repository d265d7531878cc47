"""The queue: what waits, and claims on it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from encoders.types import Modality
from moderation.access.role_sets import LEADERS
from moderation.api.fields import PathId, View
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.pagination import Page, Paging
from moderation.api.problems import documented
from moderation.api.review_views import ClaimBody, ClaimView, QueuedTaskView, TaskView
from moderation.api.services import Caller, Services
from moderation.database import reading
from moderation.review.claims import claim, waiting_for
from moderation.review.holding import visible_task
from moderation.review.listings import Place, place, waiting
from moderation.review.reviewers import find_reviewer, require_access
from moderation.review.transaction import Transaction
from moderation.review.types import Desk

router = APIRouter(prefix="/v1/queue", route_class=GuardedRoute, tags=["queue"])
_ERRORS = documented(401, 403, 404, 409, 422, 429, 503)

DeskQuery = Annotated[Desk, Query(description="Which pile.")]


class NextView(View):
    """What a claim would bring about, without what would tell one task from another."""

    waits: bool
    lane: int | None = None
    clause_id: str | None = None
    modality: Modality | None = None
    due_at: datetime | None = None


@router.get("/tasks", summary="What waits, in order", responses=_ERRORS)
def list_tasks(
    services: Services, paging: Paging, desk: DeskQuery = Desk.GENERAL
) -> Page[QueuedTaskView]:
    """By lane, then by priority, then by age. For leads: it shows what reviewers are not told."""
    key = paging.after(f"queue-{desk}", int, float, datetime, str)
    after = None if key is None else Place(*key)
    with reading(services.engine) as connection:
        found = waiting(connection, desk, after=after, limit=paging.limit + 1)
    return paging.page(
        f"queue-{desk}",
        found,
        QueuedTaskView.of,
        lambda record: (
            place(record).lane,
            place(record).priority,
            place(record).created_at,
            place(record).id,
        ),
    )


@router.get("/tasks/{task_id}", summary="One task", responses=_ERRORS)
def show_task(services: Services, caller: Caller, task_id: PathId) -> QueuedTaskView | TaskView:
    """A reviewer sees the tasks in hand; a lead sees all, and more of them."""
    with reading(services.engine) as connection:
        is_lead = caller.role in LEADERS
        found = visible_task(connection, task_id, caller.name, sees_all=is_lead)
    return QueuedTaskView.of(found) if is_lead else TaskView.model_validate(found.task)


@router.get("/next", summary="Whether anything waits for you", responses=_ERRORS)
def look_ahead(services: Services, caller: Caller, desk: DeskQuery = Desk.GENERAL) -> NextView:
    """Says what kind of work comes next, and claims nothing."""
    with reading(services.engine) as connection:
        require_access(find_reviewer(connection, caller.name), desk)
        tx = Transaction(connection, services.clock(), services.rules)
        head = connection.execute(waiting_for(tx, caller.name, desk).limit(1)).one_or_none()
    if head is None:
        return NextView(waits=False)
    return NextView(
        waits=True,
        lane=head.lane,
        clause_id=head.clause_id,
        modality=Modality(head.modality),
        due_at=head.due_at,
    )


@router.post(
    "/claims",
    summary="Claim the next task",
    status_code=201,
    response_model=ClaimView,
    responses=_ERRORS | documented(400, 413, 415),
)
def claim_next(services: Services, caller: Caller, once: Repeatable, body: ClaimBody) -> Response:
    """Both `task` and `lease` are null where nothing waits for you. The lease runs out after
    a while unless it is renewed; the task then waits again.

    `rest_due` (409) says that a break is due, and until when.
    """

    def perform(connection: Connection) -> ClaimView:
        with services.reviewing(connection, caller) as tx:
            return ClaimView.of(claim(tx, caller.name, body.desk))

    return once.answer(201, perform)
