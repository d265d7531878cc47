"""Score jobs, a batch at a time: claimed, scored, settled. The error of one stops no other."""

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from encoders.errors import WeightsError
from moderation.casework.deployment import Deployment
from moderation.casework.failures import exhausted, failure, item_error
from moderation.casework.lookalikes import PictureIndex, keep_pictures, search_pictures
from moderation.casework.settling import settle
from moderation.casework.tasks import backlog_minutes
from moderation.database import reading, writing
from moderation.errors import ConfigurationError, TransientError
from moderation.intake.blobs import BlobStore
from moderation.intake.jobs import (
    JobRules,
    claim_jobs,
    finish,
    put_off,
    release_jobs,
)
from moderation.intake.listings import find_item
from moderation.intake.results import find_result, keep_result
from moderation.intake.types import ItemState, Job, JobKind
from moderation.materials.store import MaterialLimits
from moderation.ports import Dispatcher
from moderation.review.rules import ReviewRules
from moderation.review.transaction import Transaction
from moderation.telemetry import observers
from moderation.telemetry.stages import Stage, stage
from moderation.telemetry.tracing import Attributes, on_behalf, span
from moderation.triage.near_duplicates import DISTANCE_USUAL
from moderation.types import Examination, ItemError, ItemResult, Mode

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringDesk:
    """Everything that working score jobs off takes. batch_max: jobs that are scored together.

    materials: bounds on what is made for reviewers.
    clock, draw: of the time in UTC, and of numbers in [0, 1) that spread retries.

    Raises:
        ConfigurationError: the dispatcher scores with another judge than the deployment's.
    """

    engine: Engine
    blobs: BlobStore
    dispatcher: Dispatcher
    deployment: Deployment
    review_rules: ReviewRules
    job_rules: JobRules = field(default_factory=JobRules)
    worker: str = "inline"
    batch_max: int = 8
    clock: Callable[[], datetime] = utc_now
    draw: Callable[[], float] = random.random
    materials: MaterialLimits = field(default_factory=MaterialLimits)
    pictures: PictureIndex = field(default_factory=PictureIndex)

    def __post_init__(self) -> None:
        scores_with = (self.dispatcher.judge_id, self.dispatcher.setup)
        if scores_with != (self.deployment.judge_id, self.deployment.setup):
            raise ConfigurationError(
                f"a dispatcher of the judge {self.dispatcher.judge_id}",
                expected=f"{self.deployment.judge_id} in the deployment's setup",
                remedy="Use the same settings in every process.",
            )


Holding = Callable[[Sequence[Job]], None]


def claim_batch(desk: ScoringDesk) -> list[Job]:
    """The next jobs, leased to this worker; none where there is nothing to do.

    Raises:
        DatabaseBusy: nothing was claimed.
    """
    with writing(desk.engine) as connection:
        return claim_jobs(
            connection,
            JobKind.SCORE,
            worker=desk.worker,
            limit=desk.batch_max,
            now=desk.clock(),
            rules=desk.job_rules,
        )


def work_batch(
    desk: ScoringDesk,
    jobs: Sequence[Job],
    *,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Bring claimed jobs to their end, or put them back; how many were ended.

    is_stopping: asked between items; jobs that were not scored by then are put back.

    Raises:
        DatabaseBusy: the database does not answer; leases run out by themselves.
    """
    ended = 0
    with reading(desk.engine) as connection:
        backlog = backlog_minutes(connection)
        by_bytes: dict[str, list[Job]] = {}
        for job in jobs:
            by_bytes.setdefault(find_item(connection, job.item_id).sha256, []).append(job)
        mode = jobs[0].mode
        of_mode = {
            sha256: [job for job in held if job.mode is mode] for sha256, held in by_bytes.items()
        }
        known = {
            sha256: find_result(connection, sha256, desk.deployment.context(mode))
            for sha256 in by_bytes
        }
    left = {sha256: held for sha256, held in of_mode.items() if held}
    _release(desk, [job for held in by_bytes.values() for job in held if job.mode is not mode])
    for sha256, result in known.items():
        held = left.get(sha256, [])
        if result is not None and held:
            for job in left.pop(sha256):
                # A score that never settles: without it a person decides.
                is_spent = job.deliveries > desk.job_rules.deliveries_max
                told = failure(sha256, exhausted(desk.job_rules)) if is_spent else result
                ended += _settle_one(desk, job, told, backlog)
        elif any(job.deliveries > desk.job_rules.deliveries_max for job in held):
            ended += _bury(desk, sha256, left.pop(sha256), exhausted(desk.job_rules), backlog)
    try:
        for sha256, result in scores(desk, dict(left), mode):
            ended += _end(desk, sha256, left.pop(sha256), result, backlog)
            if is_stopping():
                break
    except (TransientError, ConfigurationError, WeightsError) as error:
        # Not the items' fault: tried again, until they have been handed out too often.
        again = replace(item_error(error), is_transient=True)
        for sha256, held in left.items():
            ended += _fail(desk, sha256, held, again, backlog)
        return ended
    except Exception as error:
        ended += _suspect(desk, left, item_error(error), backlog)
        return ended
    _release(desk, [job for held in left.values() for job in held])
    return ended


def scores(
    desk: ScoringDesk, by_bytes: Mapping[str, Sequence[Job]], mode: Mode
) -> Iterable[tuple[str, ItemResult]]:
    """What the dispatcher says of content, in order; raises what it raises.

    by_bytes: the jobs that wait for each content.
    """
    if not by_bytes:
        return
    digests = list(by_bytes)
    paths = [desk.blobs.path(sha256) for sha256 in digests]
    traces: dict[str, str] = {}
    for path, held in zip(paths, by_bytes.values(), strict=True):
        # Of copies, the work belongs to the first.
        traces |= {str(path): job.traceparent for job in held[:1] if job.traceparent is not None}
    found = desk.dispatcher.score(paths, mode)
    facts: Attributes = {"items": len(paths), "mode": str(mode)}
    with closing(found), on_behalf(traces), span("score", facts, linked=traces):  # type: ignore[type-var]
        for sha256, result in zip(digests, found, strict=True):
            # The name that the file has here is nobody's business.
            yield sha256, replace(result, path=sha256, sha256=sha256, duplicate_of=None)


def examination(desk: ScoringDesk, sha256: str, job: Job) -> Examination:
    """What the dispatcher says of one content, with all that led to it; raises what it raises."""
    path = desk.blobs.path(sha256)
    traces = {} if job.traceparent is None else {str(path): job.traceparent}
    with on_behalf(traces), span("examine", {"mode": str(job.mode)}, linked=traces):
        return desk.dispatcher.examine(path, job.mode)


def _end(
    desk: ScoringDesk, sha256: str, held: Sequence[Job], result: ItemResult, backlog: float
) -> int:
    if result.error is not None and result.error.is_transient:
        return _fail(desk, sha256, held, result.error, backlog)
    context = desk.deployment.context(held[0].mode)
    reach = max(DISTANCE_USUAL, desk.deployment.near_distance_max or 0)
    with reading(desk.engine) as connection:
        found = search_pictures(connection, desk.pictures, result, distance_max=reach)
    with writing(desk.engine) as connection:
        keep_result(connection, sha256, result, context, now=desk.clock())
        if result.modality is not None:
            keep_pictures(
                connection, desk.pictures, sha256, result.modality, found, distance_max=reach
            )
    return _settle_all(desk, held, result, backlog)


def _settle_all(desk: ScoringDesk, held: Sequence[Job], result: ItemResult, backlog: float) -> int:
    return sum(_settle_one(desk, job, result, backlog) for job in held)


def _settle_one(desk: ScoringDesk, job: Job, result: ItemResult, backlog: float) -> bool:
    """One item in one transaction; whatever goes wrong with it is kept with its job."""
    now = desk.clock()
    facts: Attributes = {"item_id": job.item_id, "job_id": job.id, "deliveries": job.deliveries}
    try:
        with (
            stage(Stage.SETTLE, facts, parent=job.traceparent),
            writing(desk.engine) as connection,
        ):
            if not finish(connection, job, now=now, error=result.error):
                return False  # somebody else has taken it over
            if find_item(connection, job.item_id).state is not ItemState.WAITING:
                return True  # tried again after it died: the item has its route
            tx = Transaction(connection, now, desk.review_rules)
            settled = settle(
                tx, desk.deployment, job.item_id, result, job.mode, backlog_minutes=backlog
            )
    except Exception as error:
        _postpone(desk, job, item_error(error))
        return False
    if settled is not None:
        score = None if result.judgment is None else result.judgment.expected_score
        route = str(settled.disposition)
        observers.tell(lambda observer: observer.item_settled(route, str(job.mode), score))
        code = None if result.error is None else result.error.code
        _log.info("settled", extra={**facts, "disposition": route, "error_code": code})
    return True


def _fail(
    desk: ScoringDesk, sha256: str, held: Sequence[Job], error: ItemError, backlog: float
) -> int:
    """A failure that may pass: later again, unless that was tried often enough."""
    if all(job.deliveries < desk.job_rules.deliveries_max for job in held):
        for job in held:
            _postpone(desk, job, error)
        return 0
    return _settle_all(desk, held, failure(sha256, error), backlog)


def _suspect(
    desk: ScoringDesk, left: Mapping[str, Sequence[Job]], error: ItemError, backlog: float
) -> int:
    """The dispatcher broke down over one of these: alone it is buried, among others tried alone."""
    if len(left) == 1:
        [(sha256, held)] = left.items()
        return _bury(desk, sha256, held, error, backlog)
    for held in left.values():
        for job in held:
            _postpone(desk, job, error, at_once=True)
    return 0


def _bury(
    desk: ScoringDesk, sha256: str, held: Sequence[Job], error: ItemError, backlog: float
) -> int:
    """No score, for good: the failure is kept for copies too, and a person decides."""
    failed = failure(sha256, error)
    context = desk.deployment.context(held[0].mode)
    with writing(desk.engine) as connection:
        keep_result(connection, sha256, failed, context, now=desk.clock())
    return _settle_all(desk, held, failed, backlog)


def _postpone(desk: ScoringDesk, job: Job, error: ItemError, *, at_once: bool = False) -> None:
    now = desk.clock()
    pause = desk.job_rules.pause(job.deliveries, desk.draw())
    with writing(desk.engine) as connection:
        put_off(connection, job, error, until=now if at_once else now + pause)
    observers.tell(lambda observer: observer.job_retried(str(job.kind), error.code))
    _log.warning(
        "put off",
        extra={
            "item_id": job.item_id,
            "job_id": job.id,
            "deliveries": job.deliveries,
            "error_code": error.code,
        },
    )


def _release(desk: ScoringDesk, held: Sequence[Job]) -> None:
    if held:
        with writing(desk.engine) as connection:
            release_jobs(connection, held)
