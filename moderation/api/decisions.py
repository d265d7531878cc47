"""Decisions: taken, taken back, listed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from moderation.access.keys import AccessRole
from moderation.api.fields import IDENTIFIER, PathId
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.pagination import Page, Paging
from moderation.api.problems import documented
from moderation.api.review_views import ClaimView, DecisionBody, DecisionsView, DecisionView
from moderation.api.services import Caller, Services
from moderation.database import reading
from moderation.review.decisions import decide, decide_group, undo
from moderation.review.leases import require_own
from moderation.review.listings import Moment, decided
from moderation.review.types import Finding

router = APIRouter(prefix="/v1/decisions", route_class=GuardedRoute, tags=["queue"])
_ERRORS = documented(401, 403, 404, 409, 422, 429, 503)


@router.post(
    "",
    summary="Decide a claimed task",
    status_code=201,
    response_model=DecisionsView,
    responses=_ERRORS | documented(400, 413, 415),
)
def take(services: Services, caller: Caller, once: Repeatable, body: DecisionBody) -> Response:
    """Closes the task. The case may still wait for a second opinion, of which nobody is told."""
    finding = Finding(body.verdict, body.action, body.reason_code, body.note)

    def perform(connection: Connection) -> DecisionsView:
        with services.reviewing(connection, caller) as tx:
            require_own(tx, body.token, caller.name)
            if body.for_group:
                taken = decide_group(tx, body.token, finding)
            else:
                taken = [decide(tx, body.token, finding, wants_second=body.wants_second)]
        return DecisionsView(decisions=[DecisionView.of(one) for one in taken])

    return once.answer(201, perform)


@router.post(
    "/{decision_id}/undo",
    summary="Take a decision back",
    status_code=201,
    response_model=ClaimView,
    responses=_ERRORS,
)
def take_back(
    services: Services, caller: Caller, once: Repeatable, decision_id: PathId
) -> Response:
    """Your own, of the last minutes; the task is in your hands again."""

    def perform(connection: Connection) -> ClaimView:
        with services.reviewing(connection, caller) as tx:
            return ClaimView.of(undo(tx, decision_id, caller.name))

    return once.answer(201, perform)


@router.get("", summary="Decisions, oldest first", responses=_ERRORS)
def list_decisions(
    services: Services,
    caller: Caller,
    paging: Paging,
    reviewer: Annotated[
        str | None, Query(pattern=IDENTIFIER, description="Only this person's.")
    ] = None,
) -> Page[DecisionView]:
    """A reviewer sees their own; a lead sees everybody's."""
    if caller.role is AccessRole.REVIEWER:
        reviewer = caller.name
    key = paging.after("decisions", datetime, str)
    with reading(services.engine) as connection:
        found = decided(
            connection,
            reviewer_id=reviewer,
            after=None if key is None else Moment(*key),
            limit=paging.limit + 1,
        )
    return paging.page("decisions", found, DecisionView.of, lambda one: (one.decided_at, one.id))
