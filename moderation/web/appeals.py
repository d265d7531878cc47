"""Appeals: what people complain of, and who may look at it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from moderation.database import reading
from moderation.review.eligibility import appeal_case
from moderation.review.holding import find_task
from moderation.review.listings import Moment, appealed, count_appeals
from moderation.review.types import AppealState
from moderation.web.context import Cursor, PathId, Services
from moderation.web.cursors import cursor, read_cursor
from moderation.web.guard import ConsoleRoute
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PAGE_APPEALS = 25

State = Annotated[str, Query(max_length=16)]


@router.get("/console/lead/appeals")
def list_appeals(
    request: Request, services: Services, state: State = "open", after: Cursor = ""
) -> Response:
    """Oldest first, page by page; those that are open, unless another state is asked for."""
    wanted = AppealState(state) if state in set(AppealState) else None
    key = read_cursor(after)
    with reading(services.parts.engine) as connection:
        counts = count_appeals(connection)
        found = appealed(
            connection,
            state=wanted,
            after=None if key is None else Moment(*key),
            limit=PAGE_APPEALS + 1,
        )
        shown = [(one, find_task(connection, one.task_id).task) for one in found[:PAGE_APPEALS]]
    last = shown[-1][0] if len(found) > PAGE_APPEALS else None
    return page(
        request,
        "lead/appeals.html",
        state="all" if wanted is None else str(wanted),
        states=list(AppealState),
        counts=counts,
        appeals=shown,
        next_after=None if last is None else cursor(last.filed_at, last.id),
    )


@router.get("/console/lead/appeals/{appeal_id}")
def show_appeal(request: Request, services: Services, appeal_id: PathId) -> Response:
    """Its grounds, what was decided before, and who may take it."""
    with reading(services.parts.engine) as connection:
        case = appeal_case(connection, appeal_id)
        task = find_task(connection, case.appeal.task_id).task
    return page(request, "lead/appeal.html", case=case, appeal=case.appeal, task=task)
