"""The waiting list, for leads: filtered, counted, and kept as views to come back to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from encoders.types import Modality
from moderation.database import reading, writing
from moderation.intake.types import untrusted_text
from moderation.priority.lanes import Lane
from moderation.review.holding import find_task
from moderation.review.listings import TaskFilter, count_matching, place, waiting
from moderation.review.saved_views import SavedView, drop_view, save_view, views_of
from moderation.review.types import Desk, TaskKind, TaskState
from moderation.web.context import Form, PathId, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PAGE_TASKS = 50
COUNT_MAX = 10_000
LANES = {str(int(lane)): int(lane) for lane in Lane}

Word = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
_CLAUSE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class CountedView:
    """A view, the address that opens it, and how many tasks it has now."""

    view: SavedView
    address: str
    count: str


def filter_of(asked: Mapping[str, str]) -> TaskFilter:
    """The filter that fields of a form or an address ask for; no nonsense among it."""
    modality, clause = asked.get("modality", ""), asked.get("clause", "")
    return TaskFilter(
        lane=LANES.get(asked.get("lane", "")),
        clause_id=clause if _CLAUSE.fullmatch(clause) else None,
        modality=Modality(modality) if modality in set(Modality) else None,
        is_leased=asked.get("state") == "leased",
    )


def address_of(desk: Desk, where: TaskFilter) -> str:
    """Of the page that shows this, with nothing in it that says nothing."""
    told = {
        "desk": "" if desk is Desk.GENERAL else desk,
        "lane": "" if where.lane is None else str(where.lane),
        "clause": where.clause_id or "",
        "modality": where.modality or "",
        "state": "leased" if where.is_leased else "",
    }
    query = urlencode({name: value for name, value in told.items() if value})
    return "/console/queue/tasks" + (f"?{query}" if query else "")


def asked_filter(
    lane: Word = "",
    clause: Word = "",
    modality: Word = "",
    state: Word = "waiting",
) -> Mapping[str, str]:
    """As the address says it, for `filter_of`."""
    return {"lane": lane, "clause": clause, "modality": modality, "state": state}


Chosen = Annotated[Mapping[str, str], Depends(asked_filter)]


@router.get("/console/queue/tasks")
def list_tasks(
    request: Request,
    services: Services,
    visitor: Visit,
    chosen: Chosen,
    desk: Desk = Desk.GENERAL,
    after: Word = "",
) -> Response:
    """What waits, in order, page by page. For leads: it shows what reviewers are not told."""
    where = filter_of(chosen)
    with reading(services.parts.engine) as connection:
        begin = place(find_task(connection, after)) if after else None
        found = waiting(connection, desk, where=where, after=begin, limit=PAGE_TASKS + 1)
        views = _counted(connection, views_of(connection, visitor.key.name))
        count = _told(count_matching(connection, desk, where, count_max=COUNT_MAX))
    here = address_of(desk, where)
    return page(
        request,
        "tasks.html",
        desk=desk,
        desks=list(Desk),
        chosen=chosen,
        clauses=_clauses(services),
        modalities=list(Modality),
        tasks=found[:PAGE_TASKS],
        selectable={
            one.task.id
            for one in found
            if one.kind is TaskKind.FIRST and one.state is TaskState.WAITING
        },
        next_after=found[PAGE_TASKS - 1].task.id if len(found) > PAGE_TASKS else None,
        views=views,
        count=count,
        here=here,
        counted_here=here.replace("/tasks", "/tasks/counts", 1),
        named_here=next((one.view for one in views if one.address == here), None),
    )


@router.get("/console/queue/tasks/counts")
def show_view_counts(
    request: Request,
    services: Services,
    visitor: Visit,
    chosen: Chosen,
    desk: Desk = Desk.GENERAL,
) -> Response:
    """How many tasks each view has now: a part of the page that asks for it again and again."""
    where = filter_of(chosen)
    with reading(services.parts.engine) as connection:
        views = _counted(connection, views_of(connection, visitor.key.name))
        count = _told(count_matching(connection, desk, where, count_max=COUNT_MAX))
    return page(
        request, "tasks/_views.html", views=views, count=count, here=address_of(desk, where)
    )


@router.post("/console/queue/views")
def save(services: Services, visitor: Visit, form: Form) -> Response:
    """Give what is shown a name."""
    wanted = form.get("desk", "")
    desk = Desk(wanted) if wanted in set(Desk) else Desk.GENERAL
    where = filter_of(form)
    with writing(services.parts.engine) as connection:
        name = untrusted_text(form.get("name", ""))
        save_view(connection, visitor.key.name, name, desk, where)
    return RedirectResponse(address_of(desk, where), 303)


@router.post("/console/queue/views/{view_id}/remove")
def remove(services: Services, visitor: Visit, view_id: PathId) -> Response:
    """Forget one of one's own."""
    with writing(services.parts.engine) as connection:
        drop_view(connection, visitor.key.name, view_id)
    return RedirectResponse("/console/queue/tasks", 303)


def _clauses(services: ConsoleServices) -> list[str]:
    return [one.id for one in services.parts.deployment().live.clauses]


def _counted(connection: Connection, views: Sequence[SavedView]) -> list[CountedView]:
    return [
        CountedView(
            one,
            address_of(one.desk, one.where),
            _told(count_matching(connection, one.desk, one.where, count_max=COUNT_MAX)),
        )
        for one in views
    ]


def _told(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}") + ("+" if count == COUNT_MAX else "")
