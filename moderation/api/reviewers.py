"""A reviewer's own settings."""

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from moderation.api.fields import Body, View
from moderation.api.guard import GuardedRoute
from moderation.api.problems import documented
from moderation.api.services import Caller, Services
from moderation.api.versions import IfMatch, digest, etag, require_match
from moderation.database import reading, writing
from moderation.review.reviewers import enrol, find_reviewer
from moderation.review.transaction import Transaction
from moderation.review.types import Reviewer, Role, Wellness

router = APIRouter(prefix="/v1/reviewers", route_class=GuardedRoute, tags=["queue"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)


class WellnessBody(Body):
    """How media is shown, and how much of it."""

    has_blur: bool = True
    has_greyscale: bool = True
    has_mute: bool = True
    work_minutes: Annotated[float, Field(gt=0, le=1440)] = 90.0
    break_minutes: Annotated[float, Field(gt=0, le=1440)] = 10.0
    harmful_daily_max: Annotated[int, Field(ge=0, le=10_000)] = 200


class ReviewerView(View):
    """Who reviews."""

    id: str
    role: Role
    is_automated: bool
    is_active: bool
    wellness: WellnessBody


@router.get("/me", summary="Your settings", responses=_ERRORS)
def show(services: Services, caller: Caller, response: Response) -> ReviewerView:
    """`ETag` names their version."""
    with reading(services.engine) as connection:
        found = find_reviewer(connection, caller.name)
    response.headers["ETag"] = etag(_version(found))
    return _view(found)


@router.put(
    "/me/wellness",
    summary="Change how media is shown to you",
    responses=_ERRORS | documented(400, 412, 413, 415, 428),
)
def change(
    services: Services, caller: Caller, body: WellnessBody, if_match: IfMatch, response: Response
) -> ReviewerView:
    """Needs `If-Match`, so that two tabs do not undo each other."""
    with writing(services.engine) as connection:
        found = find_reviewer(connection, caller.name)
        require_match(if_match, _version(found), "settings")
        found = replace(found, wellness=Wellness(**body.model_dump()))
        enrol(Transaction(connection, services.clock(), services.rules), found)
    response.headers["ETag"] = etag(_version(found))
    return _view(found)


def _view(found: Reviewer) -> ReviewerView:
    return ReviewerView(
        id=found.id,
        role=found.role,
        is_automated=found.is_automated,
        is_active=found.is_active,
        wellness=WellnessBody(**asdict(found.wellness)),
    )


def _version(found: Reviewer) -> str:
    return digest(asdict(found))
