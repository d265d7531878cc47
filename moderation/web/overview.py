"""How everything stands: a few figures for leads, each with the page that says more."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from moderation.audit.store import read_head
from moderation.casework.surveillance import dead_jobs, job_levels
from moderation.casework.team import WINDOW
from moderation.database import reading
from moderation.policy.activation import active_policy
from moderation.review.listings import count_appeals
from moderation.review.quality import team_error
from moderation.review.service_level import service_level
from moderation.review.types import AppealState
from moderation.review.workload import workloads
from moderation.web.context import Services
from moderation.web.guard import ConsoleRoute
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PERIOD = timedelta(days=7)


@router.get("/console/lead")
def show_overview(request: Request, services: Services) -> Response:
    """Of the last seven days, and of now."""
    parts = services.parts
    now, used = parts.clock(), parts.deployment()
    with reading(parts.engine) as connection:
        level = service_level(
            connection,
            now=now,
            since=now - PERIOD,
            capacity_minutes=parts.limits.capacity_minutes,
        )
        people = workloads(connection, now=now)
        error = team_error(connection, parts.rules, since=now - WINDOW)
        appeals = count_appeals(connection)
        jobs, dead = job_levels(connection, now=now), dead_jobs(connection)
        policy, head = active_policy(connection).policy, read_head(connection)
    return page(
        request,
        "lead/overview.html",
        level=level,
        overdue=sum(lane.overdue for lane in level.lanes),
        closed=sum(lane.closed for lane in level.lanes),
        closed_late=sum(lane.closed_late for lane in level.lanes),
        at_work=[one for one in people if one.in_hand],
        breaks=[one for one in people if one.break_until is not None],
        error=error,
        open_appeals=appeals[AppealState.OPEN],
        jobs=jobs,
        dead=dead,
        policy=policy,
        used=used,
        calibrators=sorted(used.calibrators.items()),
        head=head,
    )
