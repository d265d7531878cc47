"""Uploads of whoever is logged in: handed in here, followed to their result, and appealed."""

from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from moderation.casework.appealing import appeal
from moderation.casework.handed_in import (
    HandedIn,
    appeals_on,
    handed_in,
    one_handed_in,
    statement_on,
)
from moderation.database import reading, writing
from moderation.intake.declaring import REFERENCES_MAX
from moderation.intake.listings import After
from moderation.intake.types import ItemState
from moderation.policy.schema import Action
from moderation.review.types import AppealState
from moderation.types import Disposition
from moderation.web.context import Form, PathId, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, FormIncomplete, Visitor
from moderation.web.rendering import page
from moderation.web.upload_results import ROWS_MAX, results_file

router = APIRouter(route_class=ConsoleRoute)
PAGE_ITEMS = 25
GROUNDS_CHARACTERS_MAX = 5000
_ENFORCED: Mapping[str, str] = {
    Action.REMOVE: "taken down",
    Action.DISABLE: "disabled",
    Action.LIMIT_REACH: "shown to fewer people",
    Action.AGE_RESTRICT: "restricted by age",
    Action.LABEL: "labelled",
}

Moment = Annotated[str, Query(max_length=40)]
ItemId = Annotated[str, Query(max_length=32, pattern=r"^[0-9a-f]*$")]


def told(one: HandedIn) -> str:
    """What became of an item, in a few words."""
    route = one.route
    if one.item.state is ItemState.ERASED:
        return "erased"
    if route is None:
        return "is being examined"
    if route.disposition is Disposition.ENFORCE:
        return _ENFORCED.get(str(route.action), "acted on")
    if route.disposition is Disposition.REVIEW:
        return "waits for a person"
    return "stays up"


@router.get("/console/uploads")
def show_uploads(
    request: Request, services: Services, visitor: Visit, at: Moment = "", after: ItemId = ""
) -> Response:
    """Where files are handed in, and below them one's own, newest first."""
    parts = services.parts
    return page(
        request,
        "uploads.html",
        surfaces=parts.deployment().live.surfaces,
        bytes_max=parts.blobs.bytes_max,
        allows_fetch=parts.limits.allow_fetch,
        references_max=REFERENCES_MAX,
        rows_max=ROWS_MAX,
        has_parquet=find_spec("pyarrow") is not None,
        **_table(services, visitor, _place(at, after)),
    )


@router.get("/console/uploads/table")
def show_table(request: Request, services: Services, visitor: Visit) -> Response:
    """The newest: a part of the page that asks for it again and again."""
    return page(request, "uploads/_table.html", **_table(services, visitor, None))


@router.get("/console/uploads/results.{form}")
def download(services: Services, visitor: Visit, form: str) -> Response:
    """All of one's own, as CSV or Parquet."""
    parts = services.parts
    with reading(parts.engine) as connection:
        return results_file(connection, visitor.key.name, form)


@router.get("/console/uploads/{item_id}")
def show_upload(request: Request, services: Services, visitor: Visit, item_id: PathId) -> Response:
    """What was found, what was done and why, and how to appeal."""
    with reading(services.parts.engine) as connection:
        one = one_handed_in(connection, visitor.key.name, item_id)
        statement = statement_on(connection, one) or {}
        filed = appeals_on(connection, one)
    is_acted_on = one.route is not None and one.route.disposition is Disposition.ENFORCE
    return page(
        request,
        "uploads/item.html",
        one=one,
        told=told(one),
        reasons=[] if one.route is None else one.route.outcome.get("reasons", []),
        explanation=statement.get("illegal_content_explanation")
        or statement.get("incompatible_content_explanation"),
        facts=statement.get("decision_facts"),
        appeals=filed,
        can_appeal=is_acted_on and not any(one.state is AppealState.OPEN for one in filed),
        grounds_max=GROUNDS_CHARACTERS_MAX,
    )


@router.post("/console/uploads/{item_id}/appeals")
def file_one(services: Services, visitor: Visit, form: Form, item_id: PathId) -> Response:
    """As `POST /v1/appeals` does, for one's own item."""
    grounds = form.get("grounds", "").strip()
    if not 0 < len(grounds) <= GROUNDS_CHARACTERS_MAX:
        raise FormIncomplete(
            f"grounds of {len(grounds)} characters",
            expected=f"1 to {GROUNDS_CHARACTERS_MAX}",
            remedy="Say why the decision is wrong.",
        )
    parts = services.parts
    with writing(parts.engine) as connection:
        item = one_handed_in(connection, visitor.key.name, item_id).item
        with parts.reviewing(connection, visitor.key) as tx:
            appeal(tx, item.id, grounds)
    return RedirectResponse(f"/console/uploads/{item_id}", 303)


def _table(services: ConsoleServices, visitor: Visitor, after: After | None) -> dict[str, Any]:
    with reading(services.parts.engine) as connection:
        found = handed_in(connection, visitor.key.name, after=after, limit=PAGE_ITEMS + 1)
    shown = found[:PAGE_ITEMS]
    return {
        "uploads": [(one, told(one)) for one in shown],
        "is_first": after is None,
        "is_waiting": any(one.route is None for one in shown),
        "next_after": shown[-1].item if len(found) > PAGE_ITEMS else None,
    }


def _place(at: str, item_id: str) -> After | None:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return After(moment, item_id) if item_id and moment.tzinfo is not None else None
