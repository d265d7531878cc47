"""Explanations: a full-mode result with its rationale, for what waits for a person.

It is kept beside the score that gave the route, and changes no route. What the reviewer is shown
beside it is made in the same visit, while the media are decoded.
"""

import logging
from dataclasses import replace

from encoders.errors import WeightsError
from moderation.casework.failures import exhausted, item_error
from moderation.casework.scoring import ScoringDesk, examination
from moderation.casework.showing import is_for_a_person, materials_of, setup_of
from moderation.database import reading, writing
from moderation.errors import ConfigurationError, TransientError
from moderation.intake.jobs import claim_jobs, finish, put_off
from moderation.intake.listings import find_item
from moderation.intake.results import find_result, keep_result
from moderation.intake.types import Job, JobKind
from moderation.pipeline import examined
from moderation.telemetry import observers
from moderation.types import Examination, ItemError, ItemResult

_log = logging.getLogger(__name__)


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
        is_moot = not is_for_a_person(connection, item)
        known = find_result(connection, item.sha256, context)
    is_shown = desk.materials.bytes_max == 0 or materials_of(desk.blobs).has(
        item.sha256, setup_of(desk.deployment)
    )
    if is_moot or (is_shown and known is not None and known.judgment is not None):
        _end(desk, job, item.sha256, None)
    elif job.deliveries > desk.job_rules.deliveries_max:
        _fail(desk, job, exhausted(desk.job_rules), is_transient=False)
    else:
        _explain(desk, job, item.sha256)


def _explain(desk: ScoringDesk, job: Job, sha256: str) -> None:
    try:
        found = examination(desk, sha256, job)
    except (TransientError, ConfigurationError, WeightsError) as error:
        _fail(desk, job, item_error(error), is_transient=True)
    except Exception as error:
        _fail(desk, job, item_error(error), is_transient=False)
    else:
        # The name that the file has here is nobody's business.
        _end(desk, job, sha256, replace(examined(found), path=sha256, sha256=sha256))
        _show(desk, sha256, found)


def _show(desk: ScoringDesk, sha256: str, found: Examination) -> None:
    """Make what the reviewer is shown; the explanation stands whether or not it can be made."""
    if desk.materials.bytes_max == 0:
        return
    # Loads what measures pictures; whoever only takes uploads in has none of it.
    from moderation.materials.making import make_materials

    try:
        made = make_materials(found, desk.materials)
        # No erasure comes between the look whether the media are there and the writing.
        with desk.blobs.keeping():
            if desk.blobs.has(sha256):
                setup = setup_of(desk.deployment)
                bytes_max = desk.materials.bytes_max
                materials_of(desk.blobs).write(sha256, setup, made, bytes_max=bytes_max)
    except Exception as error:
        _log.warning("no materials", extra={"sha256": sha256}, exc_info=error)


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
