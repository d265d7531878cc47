"""Items: their status, what was found, and what is forecast."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from moderation.access.keys import AccessRole, ApiKey
from moderation.api.fields import PathId
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.item_views import (
    EvidenceView,
    ItemStatus,
    ItemView,
    LookalikeView,
    Name,
    ReportBody,
    ReportView,
    ResultView,
    RouteView,
    ViewsBody,
    routes_for,
    show_item,
    show_status,
)
from moderation.api.pagination import Page, Paging
from moderation.api.problems import Missing, documented
from moderation.api.services import Caller, Services
from moderation.casework.evidence import deciding_result, near_duplicates, newest_result
from moderation.casework.reconsidering import forecast, report
from moderation.database import reading, writing
from moderation.intake.listings import After, find_item, list_items
from moderation.intake.submission import unknown
from moderation.intake.types import Item, ItemState
from moderation.review.transaction import Transaction
from moderation.types import Mode

router = APIRouter(prefix="/v1/items", route_class=GuardedRoute, tags=["items"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)


@router.get("", summary="Items, oldest first", responses=_ERRORS)
def list_all(
    services: Services,
    caller: Caller,
    paging: Paging,
    state: Annotated[ItemState | None, Query(description="Only those in this state.")] = None,
    uploader: Annotated[Name | None, Query(description="Only those of this sender.")] = None,
) -> Page[ItemView]:
    """An uploader sees their own; everybody else sees all."""
    if caller.role is AccessRole.UPLOADER:
        uploader = caller.name
    key = paging.after("items", datetime, str)
    with reading(services.engine) as connection:
        found = list_items(
            connection,
            state=state,
            uploader=uploader,
            after=None if key is None else After(*key),
            limit=paging.limit + 1,
        )
    return paging.page("items", found, show_item, lambda item: (item.created_at, item.id))


@router.get("/{item_id}", summary="The status of an item", responses=_ERRORS)
def status(services: Services, caller: Caller, item_id: PathId) -> ItemStatus:
    """Waiting until it has a route; a route may be a review by a person."""
    with reading(services.engine) as connection:
        return show_status(connection, caller.role, visible_item(connection, caller, item_id))


@router.get("/{item_id}/result", summary="What the machine found", responses=_ERRORS)
def result(services: Services, caller: Caller, item_id: PathId) -> ResultView:
    """404 until the item has a route."""
    with reading(services.engine) as connection:
        item = visible_item(connection, caller, item_id)
        found = routes_for(connection, caller.role, item.id)
        if not found:
            raise _unsettled(item)
        row = deciding_result(connection, item)
    judged = {} if row is None else row.result
    newest = found[0]
    return ResultView(
        item_id=item.id,
        sha256=item.sha256,
        score=judged.get("score"),
        probability=newest.probability,
        route=RouteView.model_validate(newest),
        reasons=[str(one) for one in newest.outcome.get("reasons", ())],
        error=_error_of(judged),
    )


@router.get("/{item_id}/evidence", summary="Everything that led to the score", responses=_ERRORS)
def evidence(services: Services, caller: Caller, item_id: PathId) -> EvidenceView:
    """For reviewers: signals, spans, rationale, provenance. Look at the media first."""
    with reading(services.engine) as connection:
        item = visible_item(connection, caller, item_id)
        row = deciding_result(connection, item)
        explained = newest_result(connection, item.sha256, Mode.FULL)
        found = routes_for(connection, caller.role, item.id)
        near = [
            LookalikeView.model_validate(one) for one in near_duplicates(connection, item.sha256)
        ]
    if row is None:
        raise _unsettled(item)
    return EvidenceView(
        item_id=item.id,
        sha256=item.sha256,
        judge_id=row.judge_id,
        mode=row.mode,
        scored_at=row.created_at,
        result=row.result,
        explanation=None if explained is None or row.mode == Mode.FULL else explained.result,
        outcome=dict(found[0].outcome) if found else None,
        shadow=None if not found or found[0].shadow is None else dict(found[0].shadow),
        near_duplicates=near,
    )


@router.put(
    "/{item_id}/views",
    summary="Tell how many people see an item",
    responses=_ERRORS | documented(400, 413, 415),
)
def views(services: Services, caller: Caller, item_id: PathId, body: ViewsBody) -> ItemView:
    """The newest forecast holds; the item's place in the queue follows it."""
    with writing(services.engine) as connection:
        visible_item(connection, caller, item_id)
        tx = Transaction(connection, services.clock(), services.rules)
        item = forecast(tx, services.deployment(), item_id, body.value())
    return show_item(item)


@router.post(
    "/{item_id}/reports",
    status_code=201,
    summary="Report an item",
    response_model=ReportView,
    responses=_ERRORS | documented(400, 409, 413, 415),
)
def add_report(
    services: Services, caller: Caller, once: Repeatable, item_id: PathId, body: ReportBody
) -> Response:
    """A notice under a clause of the policy: a person looks at the item, whatever its score."""

    def perform(connection: Connection) -> ReportView:
        visible_item(connection, caller, item_id)
        tx = Transaction(connection, services.clock(), services.rules)
        notice = report(tx, services.deployment(), item_id, body.clause_id, reporter=caller.name)
        return ReportView.model_validate(notice)

    return once.answer(201, perform)


def visible_item(connection: Connection, caller: ApiKey, item_id: str) -> Item:
    """An item that this key may see.

    Raises:
        UnknownItem: there is none, or it is another uploader's. The two look alike.
    """
    item = find_item(connection, item_id)
    if caller.role is AccessRole.UPLOADER and item.uploader != caller.name:
        raise unknown(item_id)
    return item


def _error_of(judged: Mapping[str, Any]) -> dict[str, Any] | None:
    if judged.get("error_code") is None:
        return None
    return {name: judged.get(f"error_{name}") for name in ("code", "found", "expected", "remedy")}


def _unsettled(item: Item) -> Missing:
    return Missing(
        f"no result of item {item.id}, which is {item.state}",
        expected="an item that was scored",
        remedy="Ask again later.",
    )
