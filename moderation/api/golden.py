"""Golden items: media with a known answer, mixed in among reviewers' work."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from encoders.types import Modality
from moderation.api.fields import IDENTIFIER, Body, PathId, View
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.item_views import Name
from moderation.api.pagination import Page, Paging
from moderation.api.problems import documented
from moderation.api.services import Caller, Services
from moderation.casework.golden import make_golden, unmake_golden
from moderation.database import reading, writing
from moderation.review.golden import GoldenRecord, find_golden, list_golden
from moderation.review.transaction import Transaction
from moderation.review.types import Verdict

router = APIRouter(prefix="/v1/golden", route_class=GuardedRoute, tags=["queue"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)


class GoldenBody(Body):
    """An item whose answer is known for sure."""

    item_id: Annotated[str, Field(pattern=IDENTIFIER)]
    verdict: Verdict = Field(description="What is true: manipulated or authentic.")
    clause_id: Name | None = Field(default=None, description="Default: the clause that it has.")
    is_harmful: bool = Field(
        default=False, description="Counts towards a reviewer's daily exposure."
    )

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"item_id": "0f4e\u2026", "verdict": "manipulated"}]}
    )


class GoldenView(View):
    """A golden item, and how reviewers did on it."""

    id: str
    item_id: str
    clause_id: str
    modality: Modality
    verdict: Verdict
    is_harmful: bool
    added_by: str
    added_at: datetime
    is_active: bool
    shown: int = Field(description="Decisions on it.")
    right: int = Field(description="Those with its verdict.")

    @classmethod
    def of(cls, record: GoldenRecord) -> "GoldenView":
        """From a record."""
        item = record.item
        return cls(
            id=record.id,
            item_id=item.item_id,
            clause_id=item.clause_id,
            modality=item.modality,
            verdict=item.verdict,
            is_harmful=item.is_harmful,
            added_by=item.added_by,
            added_at=record.added_at,
            is_active=record.is_active,
            shown=record.shown,
            right=record.right,
        )


@router.post(
    "",
    status_code=201,
    summary="Mix an item in among the work",
    response_model=GoldenView,
    responses=_ERRORS | documented(400, 409, 413, 415),
)
def add(services: Services, caller: Caller, once: Repeatable, body: GoldenBody) -> Response:
    """An item that nobody has to decide any more. You are never given it yourself."""

    def perform(connection: Connection) -> GoldenView:
        with services.reviewing(connection, caller) as tx:
            golden_id = make_golden(
                tx,
                services.deployment(),
                body.item_id,
                body.verdict,
                clause_id=body.clause_id,
                is_harmful=body.is_harmful,
                name=caller.name,
                actor=caller.actor,
            )
            return GoldenView.of(find_golden(connection, golden_id))

    return once.answer(201, perform)


@router.get("", summary="Golden items, oldest first", responses=_ERRORS)
def list_all(services: Services, paging: Paging) -> Page[GoldenView]:
    """With how often each was decided, and how often rightly."""
    key = paging.after("golden", datetime, str)
    with reading(services.engine) as connection:
        found = list_golden(
            connection, after=None if key is None else (key[0], key[1]), limit=paging.limit + 1
        )
    return paging.page("golden", found, GoldenView.of, lambda one: (one.added_at, one.id))


@router.delete("/{golden_id}", status_code=204, summary="Mix an item in no more", responses=_ERRORS)
def retire(services: Services, caller: Caller, golden_id: PathId) -> None:
    """Such as when its answer has got about. What was decided on it still counts."""
    with writing(services.engine) as connection:
        tx = Transaction(connection, services.clock(), services.rules)
        unmake_golden(tx, golden_id, actor=caller.actor)
