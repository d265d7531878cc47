"""Appeals: filed by who is concerned, decided by another person than those who decided before."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, select

from moderation.access.keys import AccessRole, ApiKey
from moderation.api.fields import IDENTIFIER, Body, PathId, Words
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.items import visible_item
from moderation.api.pagination import Page, Paging
from moderation.api.problems import Missing, documented
from moderation.api.review_views import AppealView
from moderation.api.services import Caller, Services
from moderation.casework.appealing import appeal
from moderation.database import reading
from moderation.review import rows
from moderation.review.listings import Moment, appealed
from moderation.review.tables import appeals, tasks
from moderation.review.types import Appeal, AppealState

router = APIRouter(prefix="/v1/appeals", route_class=GuardedRoute, tags=["appeals"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)


class AppealBody(Body):
    """Against the decision on an item."""

    item_id: Annotated[str, Field(pattern=IDENTIFIER)]
    grounds: Annotated[Words, Field(min_length=1)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item_id": "0f4e…",
                    "grounds": "It is a recording of my own; here is the original.",
                }
            ]
        }
    )


@router.post(
    "",
    status_code=201,
    summary="File an appeal",
    response_model=AppealView,
    responses=_ERRORS | documented(400, 409, 413, 415),
)
def add(services: Services, caller: Caller, once: Repeatable, body: AppealBody) -> Response:
    """A person decides it: claim at the desk `appeals`, and decide as any task."""

    def perform(connection: Connection) -> AppealView:
        item = visible_item(connection, caller, body.item_id)
        with services.reviewing(connection, caller) as tx:
            return AppealView.model_validate(appeal(tx, item.id, body.grounds))

    return once.answer(201, perform)


@router.get("", summary="Appeals, oldest first", responses=_ERRORS)
def list_all(
    services: Services,
    paging: Paging,
    state: Annotated[AppealState | None, Query(description="Only those in this state.")] = None,
) -> Page[AppealView]:
    """All of them."""
    key = paging.after("appeals", datetime, str)
    with reading(services.engine) as connection:
        found = appealed(
            connection,
            state=state,
            after=None if key is None else Moment(*key),
            limit=paging.limit + 1,
        )
    return paging.page(
        "appeals", found, AppealView.model_validate, lambda one: (one.filed_at, one.id)
    )


@router.get("/{appeal_id}", summary="One appeal", responses=_ERRORS)
def show(services: Services, caller: Caller, appeal_id: PathId) -> AppealView:
    """An uploader sees those about their own items."""
    with reading(services.engine) as connection:
        return AppealView.model_validate(_find(connection, caller, appeal_id))


def _find(connection: Connection, caller: ApiKey, appeal_id: str) -> Appeal:
    row = connection.execute(
        select(appeals, tasks.c.item_id)
        .join(tasks, tasks.c.id == appeals.c.task_id)
        .where(appeals.c.id == appeal_id)
    ).one_or_none()
    missing = Missing(
        f"no appeal {appeal_id}",
        expected="the id of an appeal",
        remedy="Take it from the answer to its filing.",
    )
    if row is None:
        raise missing
    if caller.role is AccessRole.UPLOADER:
        visible_item(connection, caller, row.item_id)
    return rows.appeal(row)
