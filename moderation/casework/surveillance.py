"""How the service stands, from its database alone: the same from whichever process asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, func, select

from moderation.calibration.draws import Draws
from moderation.calibration.metrics import reliability_bins
from moderation.intake.tables import IS_LEASED, IS_WAITING, dispositions, jobs
from moderation.intake.types import JobState
from moderation.review.labels import labels
from moderation.review.rules import ReviewRules
from moderation.triage.sampling import Sample


@dataclass(frozen=True, slots=True)
class JobLevel:
    """Jobs of one kind. waiting: also those put off. retrying: of these, begun before.

    due_seconds: since when the one that waits longest could have been begun; 0 where none could.
    """

    kind: str
    waiting: int
    retrying: int
    leased: int
    due_seconds: float


@dataclass(frozen=True, slots=True)
class DeadJobs:
    """Jobs that ended without a score, by the code of their error."""

    kind: str
    error_code: str
    count: int


@dataclass(frozen=True, slots=True)
class SampleError:
    """Expected calibration error on the random sample, NaN without items (Naeini et al. 2015)."""

    items: int
    expected_error: float


def job_levels(connection: Connection, *, now: datetime) -> Sequence[JobLevel]:
    """What is to be done, by kind. Reads open jobs only."""
    waiting = connection.execute(
        select(
            jobs.c.kind,
            func.count(),
            func.count().filter(jobs.c.deliveries > 0),
            func.min(jobs.c.not_before),
        )
        .where(IS_WAITING)
        .group_by(jobs.c.kind)
    )
    held = select(jobs.c.kind, func.count()).where(IS_LEASED).group_by(jobs.c.kind)
    leased: dict[str, int] = {row[0]: row[1] for row in connection.execute(held)}
    levels = []
    for kind, count, retrying, since in waiting:
        seconds = max(0.0, (now - since).total_seconds())
        levels.append(JobLevel(kind, count, retrying, leased.pop(kind, 0), seconds))
    levels += [JobLevel(kind, 0, 0, count, 0.0) for kind, count in leased.items()]
    return sorted(levels, key=lambda level: level.kind)


def dead_jobs(connection: Connection) -> Sequence[DeadJobs]:
    """Dead letters, by kind and error."""
    code = jobs.c.error["code"].as_string()
    found = connection.execute(
        select(jobs.c.kind, code, func.count())
        .where(jobs.c.state == JobState.DEAD)
        .group_by(jobs.c.kind, code)
        .order_by(jobs.c.kind, code)
    )
    return [DeadJobs(kind, error_code or "unknown", count) for kind, error_code, count in found]


def random_sample_error(
    connection: Connection, rules: ReviewRules, *, since: datetime, now: datetime
) -> SampleError:
    """Of the probabilities that routes were decided with, against what people ruled.

    On the random sample, where every item had the same chance: no weights are needed, and what the
    machine sends to review by itself does not colour it.
    """
    stated: list[float] = []
    is_manipulated: list[bool] = []
    for label in labels(connection, rules, since=since, now=now):
        row = connection.execute(
            select(dispositions.c.probability, dispositions.c.outcome).where(
                dispositions.c.item_id == label.item_id,
                dispositions.c.policy_id == label.policy_version,
            )
        ).one_or_none()
        if row is None or row.probability is None or row.outcome["sample"] != Sample.RANDOM:
            continue
        stated.append(row.probability)
        is_manipulated.append(label.is_manipulated)
    if not stated:
        return SampleError(0, float("nan"))
    bins = reliability_bins(np.array(stated), np.array(is_manipulated), Draws.once(len(stated)))
    return SampleError(len(stated), float(bins.expected_error_D[0]))
