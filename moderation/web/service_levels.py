"""How review keeps up: backlog, ages, what came too late, and what comes in against what goes."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from moderation.casework.surveillance import job_levels
from moderation.database import reading
from moderation.review.flow import DAYS_MAX, DayFlow, daily_flow
from moderation.review.service_level import LaneLevel, service_level
from moderation.web.context import Days, Services
from moderation.web.guard import ConsoleRoute
from moderation.web.plots.bars import BarRow, DayColumns, bar_plot, flow_plot
from moderation.web.rendering import lane_name, page

router = APIRouter(route_class=ConsoleRoute)


@router.get("/console/lead/service")
def show_service(request: Request, services: Services, days: Days = 7) -> Response:
    """Of now, and of the period; the day by day view reaches back three months at most."""
    parts = services.parts
    now = parts.clock()
    with reading(parts.engine) as connection:
        level = service_level(
            connection,
            now=now,
            since=now - timedelta(days=days),
            capacity_minutes=parts.limits.capacity_minutes,
        )
        flow = daily_flow(connection, now=now, days=min(days, DAYS_MAX))
        jobs = job_levels(connection, now=now)
    waiting = [lane for lane in level.lanes if lane.waiting]
    return page(
        request,
        "lead/service.html",
        days=days,
        level=level,
        flow=flow,
        jobs=jobs,
        backlog_plot=_backlog_plot(waiting) if waiting else None,
        flow_plot=_flow_plot(flow),
    )


def _backlog_plot(lanes: list[LaneLevel]) -> Markup:
    rows = [
        BarRow(
            f"{one.clause_id}, {lane_name(one.lane)}",
            one.waiting,
            one.overdue,
            f"{one.waiting}, {one.overdue} overdue",
        )
        for one in lanes
    ]
    told = "Tasks that wait by clause and lane, with those overdue; the table has the numbers."
    return bar_plot(rows, "backlog", told)


def _flow_plot(flow: Sequence[DayFlow]) -> Markup:
    days = [
        DayColumns(f"{one.day:%d %b}", one.arrived, one.closed, one.closed_late) for one in flow
    ]
    told = "Tasks that arrived and that were closed, day by day; the table has the numbers."
    return flow_plot(days, "flow", told)
