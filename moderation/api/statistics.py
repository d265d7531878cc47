"""How review keeps up, how far reviewers agree, and what the calibration rests on."""

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from moderation.api.fields import View
from moderation.api.guard import GuardedRoute
from moderation.api.problems import documented
from moderation.api.services import Services
from moderation.database import reading
from moderation.review.agreement import Agreement
from moderation.review.quality import (
    agreement_by_clause,
    agreement_by_reviewer,
    blind_ratings,
    reviewer_errors,
    team_error,
)
from moderation.review.service_level import service_level
from moderation.types import Mode

router = APIRouter(prefix="/v1/statistics", route_class=GuardedRoute, tags=["statistics"])
_ERRORS = documented(401, 403, 422, 429, 503)
# Of the bootstrap: the same numbers for the same records.
_SEED = 0

Days = Annotated[float, Query(gt=0, le=366, description="Length of the period that ends now.")]


class LaneView(View):
    """One lane and clause."""

    lane: int
    clause_id: str
    waiting: int
    backlog_minutes: float
    overdue: int
    closed: int
    closed_late: int


class ThroughputView(View):
    """What a reviewer did in the period."""

    reviewer_id: str
    decisions: int
    in_bulk: int
    minutes: float


class ServiceLevelView(View):
    """How review keeps up. hours_of_work: how long the backlog takes; null: no capacity."""

    at: datetime
    since: datetime
    waiting: int
    backlog_minutes: float
    capacity_minutes: float
    hours_of_work: float | None
    age_seconds: dict[int, float]
    lanes: list[LaneView]
    reviewers: list[ThroughputView]


class AgreementView(View):
    """Agreement beyond chance, with its interval; null where nothing can be said."""

    value: float | None
    lower: float | None
    upper: float | None
    units: int


class ErrorView(View):
    """A reviewer's share of errors in checked decisions, with its interval."""

    mean: float
    lower: float
    upper: float
    errors: int
    checks: int


class AgreementsView(View):
    """by_clause: Krippendorff's alpha. by_reviewer: Cohen's kappa with colleagues.

    team: from golden items and drawn second reviews alone; the queue's order rests on it.
    """

    since: datetime
    until: datetime
    by_clause: dict[str, AgreementView]
    by_reviewer: dict[str, AgreementView]
    errors: dict[str, ErrorView]
    team: ErrorView


@router.get("/service-level", summary="Backlog, ages, breaches, throughput", responses=_ERRORS)
def levels(services: Services, days: Days = 7.0) -> ServiceLevelView:
    """Ages by percentile of what waits; breaches by lane and clause."""
    now = services.clock()
    with reading(services.engine) as connection:
        found = service_level(
            connection,
            now=now,
            since=now - timedelta(days=days),
            capacity_minutes=services.limits.capacity_minutes,
        )
    hours = found.hours_of_work
    return ServiceLevelView(
        at=found.at,
        since=found.since,
        waiting=found.waiting,
        backlog_minutes=found.backlog_minutes,
        capacity_minutes=found.capacity_minutes,
        hours_of_work=None if hours == float("inf") else hours,
        age_seconds=dict(found.age_seconds),
        lanes=[LaneView.model_validate(lane) for lane in found.lanes],
        reviewers=[ThroughputView.model_validate(one) for one in found.reviewers],
    )


class CalibratorView(View):
    """What says what scores of a mode are worth. allow_below, enforce_above: where the machine
    acts alone under the policy in force; null: never."""

    mode: Mode
    calibrator: str
    method: str
    fitted_on: date
    allow_below: float | None
    enforce_above: float | None


class CalibrationView(View):
    """Without a calibrator of a mode, every item that is scored in it goes to a person."""

    judge_id: str
    mode: Mode
    policy: str
    calibrators: list[CalibratorView]


@router.get("/calibration", summary="What scores are worth", responses=_ERRORS)
def calibration(services: Services) -> CalibrationView:
    """Judge, calibrators, and the bounds within which the machine acts alone."""
    used = services.deployment()
    found = []
    for mode, calibrator in sorted(used.calibrators.items()):
        bounds = used.deployed(mode, used.live).bounds
        found.append(
            CalibratorView(
                mode=mode,
                calibrator=calibrator.calibrator_id,
                method=calibrator.artefact.method,
                fitted_on=calibrator.artefact.provenance.fitted_on,
                allow_below=bounds.allow_below,
                enforce_above=bounds.enforce_above,
            )
        )
    return CalibrationView(
        judge_id=used.judge_id, mode=used.mode, policy=used.live.id, calibrators=found
    )


@router.get("/agreement", summary="How far reviewers agree", responses=_ERRORS)
def agreement(services: Services, days: Days = 30.0) -> AgreementsView:
    """From blind second reviews, golden items and appeals."""
    until = services.clock()
    since = until - timedelta(days=days)
    with reading(services.engine) as connection:
        ratings = blind_ratings(connection, since=since, until=until)
        errors = reviewer_errors(connection, since=since)
        team = team_error(connection, services.rules, since=since)
    return AgreementsView(
        since=since,
        until=until,
        by_clause=_shown(agreement_by_clause(ratings, seed=_SEED)),
        by_reviewer=_shown(agreement_by_reviewer(ratings, seed=_SEED)),
        errors={name: ErrorView.model_validate(one) for name, one in errors.items()},
        team=ErrorView.model_validate(team),
    )


def _shown(found: Mapping[str, Agreement]) -> dict[str, AgreementView]:
    return {
        name: AgreementView(
            value=_known(one.value),
            lower=_known(one.lower),
            upper=_known(one.upper),
            units=one.units,
        )
        for name, one in found.items()
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
