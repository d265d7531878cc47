"""The team: what each reviewer did, how far they agree and err, and who needs a break."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from moderation.database import reading
from moderation.review.agreement import Agreement
from moderation.review.golden import list_golden
from moderation.review.golden_results import GoldenResult, golden_results
from moderation.review.quality import (
    agreement_by_clause,
    agreement_by_reviewer,
    blind_ratings,
    reviewer_errors,
    team_error,
)
from moderation.review.reviewer_error import ErrorEstimate
from moderation.review.service_level import Throughput, service_level
from moderation.review.workload import Workload, workloads
from moderation.web.context import Cursor, Days, Services
from moderation.web.cursors import cursor, read_cursor
from moderation.web.guard import ConsoleRoute
from moderation.web.plots.bars import BarRow, bar_plot
from moderation.web.plots.intervals import IntervalRow, interval_plot
from moderation.web.rendering import page
from moderation.web.wording import number

router = APIRouter(route_class=ConsoleRoute)
PAGE_GOLDEN = 25
# Of the bootstrap, as the API has it: the same numbers for the same records.
_SEED = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One reviewer; None where the records say nothing."""

    load: Workload
    done: Throughput | None
    kappa: Agreement | None
    errors: ErrorEstimate | None
    golden: GoldenResult | None

    @property
    def name(self) -> str:
        return self.load.reviewer.id

    @property
    def minutes_each(self) -> float | None:
        """Of a single decision, on average; None without one."""
        if self.done is None or self.done.decisions == self.done.in_bulk:
            return None
        return self.done.minutes / (self.done.decisions - self.done.in_bulk)


@router.get("/console/lead/team")
def show_team(request: Request, services: Services, days: Days = 30) -> Response:
    """Agreement from blind second reviews, golden items, load and breaks."""
    parts = services.parts
    now = parts.clock()
    since = now - timedelta(days=days)
    with reading(parts.engine) as connection:
        ratings = blind_ratings(connection, since=since, until=now)
        errors = reviewer_errors(connection, since=since)
        team = team_error(connection, parts.rules, since=since)
        golden = golden_results(connection, since=since)
        loads = workloads(connection, now=now)
        level = service_level(connection, now=now, since=since, capacity_minutes=0.0)
    kappas = agreement_by_reviewer(ratings, seed=_SEED)
    alphas = agreement_by_clause(ratings, seed=_SEED)
    done = {one.reviewer_id: one for one in level.reviewers}
    members = [
        Member(
            load=load,
            done=done.get(load.reviewer.id),
            kappa=kappas.get(load.reviewer.id),
            errors=errors.get(load.reviewer.id),
            golden=golden.get(load.reviewer.id),
        )
        for load in loads
    ]
    return page(
        request,
        "lead/team.html",
        days=days,
        members=members,
        alphas=alphas,
        team=team,
        kappa_plot=_agreement_plot(kappas, "kappa", "Cohen's kappa by reviewer, with intervals")
        if kappas
        else None,
        alpha_plot=_agreement_plot(alphas, "alpha", "Krippendorff's alpha by clause")
        if alphas
        else None,
        load_plot=_load_plot(members) if done else None,
    )


@router.get("/console/lead/golden")
def list_golden_items(request: Request, services: Services, after: Cursor = "") -> Response:
    """Each golden item with how often it was decided, and how often rightly."""
    with reading(services.parts.engine) as connection:
        found = list_golden(connection, after=read_cursor(after), limit=PAGE_GOLDEN + 1)
    shown = found[:PAGE_GOLDEN]
    return page(
        request,
        "lead/golden.html",
        golden=shown,
        next_after=cursor(shown[-1].added_at, shown[-1].id) if len(found) > PAGE_GOLDEN else None,
    )


def _agreement_plot(found: dict[str, Agreement], name: str, told: str) -> str:
    rows = [
        IntervalRow(label, one.value, one.lower, one.upper) for label, one in sorted(found.items())
    ]
    return interval_plot(rows, name, f"{told}; the table has the numbers.", low=-1.0, high=1.0)


def _load_plot(members: list[Member]) -> str:
    rows = [
        BarRow(one.name, one.done.minutes, 0.0, f"{number(one.done.minutes, 0)} min")
        for one in members
        if one.done is not None
    ]
    return bar_plot(rows, "load", "Minutes of review by reviewer; the table has the numbers.")
