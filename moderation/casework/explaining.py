"""Explanations: a full-mode result with its rationale, for what waits for a person.

It is kept beside the score that gave the route, and changes no route.
"""

from encoders.errors import WeightsError
from moderation.casework.failures import exhausted, item_error
from moderation.casework.scoring import ScoringDesk, scores
from moderation.database import reading, writing
from moderation.errors import ConfigurationError, TransientError
from moderation.intake.jobs import claim_jobs, finish, put_off
from moderation.intake.listings import dispositions_of, find_item
from moderation.intake.results import find_result, keep_result
from moderation.intake.types import ItemState, Job, JobKind
from moderation.telemetry import observers
from moderation.types import ItemError, ItemResult


def claim_explanation(desk: ScoringDesk) -> list[Job]:
    """The next item that is to be explained, leased to this worker; one, since each takes long.

    Raises:
        DatabaseBusy: nothing was claimed.
    """
    with writing(desk.engine) as connection:
        return claim_jobs(
            connection,
            JobKind.EXPLAIN,
            worker=desk.worker,
            limit=1,
            now=desk.clock(),
            rules=desk.job_rules,
        )


def explain(desk: ScoringDesk, job: Job) -> None:
    """Bring a claimed job to its end, or put it off.

    Raises:
        DatabaseBusy: the database does not answer; the lease runs out by itself.
    """
    context = desk.deployment.context(job.mode)
    with reading(desk.engine) as connection:
        item = find_item(connection, job.item_id)
        routes = dispositions_of(connection, item.id)
        known = find_result(connection, item.sha256, context)
    is_moot = item.state is ItemState.ERASED or all(one.is_by_person for one in routes)
    if is_moot or (known is not None and known.judgment is not None):
        _end(desk, job, item.sha256, None)
    elif job.deliveries > desk.job_rules.deliveries_max:
        _fail(desk, job, exhausted(desk.job_rules), is_transient=False)
    else:
        _explain(desk, job, item.sha256)


def _explain(desk: ScoringDesk, job: Job, sha256: str) -> None:
    try:
        [(_, result)] = scores(desk, {sha256: [job]}, job.mode)
    except (TransientError, ConfigurationError, WeightsError) as error:
        _fail(desk, job, item_error(error), is_transient=True)
    except Exception as error:
        _fail(desk, job, item_error(error), is_transient=False)
    else:
        if result.error is None:
            _end(desk, job, sha256, result)
        else:
            _fail(desk, job, result.error, is_transient=result.error.is_transient)


def _end(desk: ScoringDesk, job: Job, sha256: str, result: ItemResult | None) -> None:
    now = desk.clock()
    with writing(desk.engine) as connection:
        if finish(connection, job, now=now) and result is not None:
            context = desk.deployment.context(job.mode)
            keep_result(connection, sha256, result, context, now=now)


def _fail(desk: ScoringDesk, job: Job, error: ItemError, *, is_transient: bool) -> None:
    now, rules = desk.clock(), desk.job_rules
    with writing(desk.engine) as connection:
        if is_transient and job.deliveries < rules.deliveries_max:
            put_off(connection, job, error, until=now + rules.pause(job.deliveries, desk.draw()))
            observers.tell(lambda observer: observer.job_retried(str(job.kind), error.code))
        else:
            finish(connection, job, now=now, error=error)
