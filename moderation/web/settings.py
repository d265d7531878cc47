"""How one person works: what they see of media, when they rest, how the console looks and acts."""

import math
from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderation.access.preferences import Appearance, keep_preferences
from moderation.access.role_sets import STAFF
from moderation.database import reading, writing
from moderation.review.reviewers import enrol, find_reviewer
from moderation.review.transaction import Transaction
from moderation.review.types import Wellness
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, FormIncomplete
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
DAY_MINUTES, HARMFUL_MAX = 24 * 60, 10_000


@router.get("/console/settings")
def show_settings(
    request: Request, services: Services, visitor: Visit, saved: bool = False
) -> Response:
    """Everything that its reader can set."""
    reviewer = None
    if visitor.key.role in STAFF:
        with reading(services.parts.engine) as connection:
            reviewer = find_reviewer(connection, visitor.key.name)
    return page(
        request,
        "settings.html",
        wellness=None if reviewer is None else reviewer.wellness,
        appearances=list(Appearance),
        is_saved=saved,
        day_minutes=DAY_MINUTES,
        harmful_max=HARMFUL_MAX,
    )


@router.post("/console/settings/wellness")
def keep_wellness(services: Services, visitor: Visit, form: Form) -> Response:
    """As `PUT /v1/reviewers/me/wellness` does."""
    chosen = Wellness(
        has_blur="has_blur" in form,
        has_greyscale="has_greyscale" in form,
        has_mute="has_mute" in form,
        work_minutes=_number(form, "work_minutes", 1, DAY_MINUTES),
        break_minutes=_number(form, "break_minutes", 1, DAY_MINUTES),
        harmful_daily_max=int(_number(form, "harmful_daily_max", 0, HARMFUL_MAX)),
    )
    parts = services.parts
    with writing(parts.engine) as connection:
        found = find_reviewer(connection, visitor.key.name)
        tx = Transaction(connection, parts.clock(), parts.rules)
        enrol(tx, replace(found, wellness=chosen))
    return RedirectResponse("/console/settings?saved=1", 303)


@router.post("/console/settings/appearance")
def keep_appearance(services: Services, visitor: Visit, form: Form) -> Response:
    """Light, dark, or as the browser is set; and whether single keys act."""
    wanted = form.get("appearance", "")
    if wanted not in set(Appearance):
        raise FormIncomplete(
            "no such appearance", expected=", ".join(Appearance), remedy="Choose one of them."
        )
    chosen = replace(
        visitor.preferences,
        appearance=Appearance(wanted),
        has_single_keys="has_single_keys" in form,
    )
    with writing(services.parts.engine) as connection:
        keep_preferences(connection, visitor.key.name, chosen)
    return RedirectResponse("/console/settings?saved=1", 303)


@router.post("/console/settings/keys", status_code=204)
def keep_keys(services: Services, visitor: Visit, form: Form) -> None:
    """The switch in the list of keys."""
    chosen = replace(visitor.preferences, has_single_keys="has_single_keys" in form)
    with writing(services.parts.engine) as connection:
        keep_preferences(connection, visitor.key.name, chosen)


def _number(form: Mapping[str, str], name: str, least: float, most: float) -> float:
    try:
        value = float(form.get(name, ""))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise FormIncomplete(
            f"{form.get(name, '')[:40]!r} for {name.replace('_', ' ')}",
            expected=f"a number from {least:g} to {most:g}",
            remedy="Correct it.",
        )
    return value
