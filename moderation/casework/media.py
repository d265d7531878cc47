"""Retention and erasure: which media and texts are kept of which item, and for how long."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, exists, func, or_, select, update

from moderation.audit.erasure import erase, open_requests
from moderation.audit.retention import (
    Erasure,
    KeptItem,
    RetentionPolicy,
    Stage,
    plan_request,
    plan_retention,
)
from moderation.database import reading, writing
from moderation.intake.blobs import BlobStore, media_name
from moderation.intake.rows import error_json
from moderation.intake.tables import (
    IS_OPEN,
    dispositions,
    items,
    jobs,
    lookalikes,
    pictures,
    results,
)
from moderation.intake.types import ItemState, JobState
from moderation.materials.store import MaterialStore
from moderation.review.tables import appeals, decisions, golden_items, tasks
from moderation.review.types import AppealState, TaskState
from moderation.types import Disposition, ItemError


def kept_items(connection: Connection) -> Sequence[KeptItem]:
    """Every item whose media is there, and where it stands."""
    closed = (
        select(tasks.c.item_id, func.max(appeals.c.closed_at).label("closed_at"))
        .join(tasks, tasks.c.id == appeals.c.case_id)
        .where(appeals.c.state != AppealState.OPEN)
        .group_by(tasks.c.item_id)
        .subquery()
    )
    case = tasks.alias("case")
    is_open = exists().where(
        appeals.c.case_id == case.c.id,
        appeals.c.state == AppealState.OPEN,
        case.c.item_id == items.c.id,
    )
    is_golden = exists().where(golden_items.c.is_active, golden_items.c.item_id == items.c.id)
    newest = (
        select(dispositions.c.item_id, func.max(dispositions.c.settled_at).label("at"))
        .group_by(dispositions.c.item_id)
        .subquery()
    )
    found = connection.execute(
        select(
            items.c.id,
            items.c.sha256,
            items.c.created_at,
            dispositions.c.disposition,
            dispositions.c.is_by_person,
            dispositions.c.changed_at,
            closed.c.closed_at,
            is_open.label("has_open_appeal"),
            is_golden.label("is_golden"),
        )
        .outerjoin(newest, newest.c.item_id == items.c.id)
        .outerjoin(
            dispositions,
            (dispositions.c.item_id == items.c.id) & (dispositions.c.settled_at == newest.c.at),
        )
        .outerjoin(closed, closed.c.item_id == items.c.id)
        .where(items.c.erased_at.is_(None))
        .order_by(items.c.id)
    )
    kept = []
    for row in found:
        stage, since = Stage.OPEN, row.created_at
        if not row.has_open_appeal and row.disposition is not None:
            stage, since = _stage(row.disposition, row.is_by_person, row.changed_at)
        if stage is not Stage.OPEN and row.closed_at is not None:
            stage, since = Stage.APPEALED, row.closed_at
        if row.is_golden:
            stage = Stage.OPEN
        kept.append(KeptItem(row.id, stage, since, (media_name(row.sha256),)))
    return kept


def _stage(disposition: str, is_by_person: bool, since: datetime) -> tuple[Stage, datetime]:
    if is_by_person or disposition == Disposition.ENFORCE:
        return Stage.DECIDED, since
    return (Stage.ALLOWED if disposition == Disposition.ALLOW else Stage.OPEN), since


def erase_due(
    engine: Engine, blobs: BlobStore, policy: RetentionPolicy, *, now: datetime, actor: str
) -> int:
    """Carry out open requests and what retention makes due; how many items were erased.

    Killed at any point, the next run completes it.

    Raises:
        OutputError: a file cannot be deleted; the rest is done next time.
    """
    erased = 0
    for item_id, request in open_requests(engine):
        with blobs.erasing():
            plan = plan_request(_kept(engine), item_id, request)
            _carry_out(engine, blobs, plan, now=now, actor=actor)
        erased += 1
    with blobs.erasing():
        for plan in plan_retention(_kept(engine), policy, now):
            _carry_out(engine, blobs, plan, now=now, actor=actor)
            erased += 1
    return erased


def due_items(engine: Engine, policy: RetentionPolicy, *, now: datetime) -> Sequence[Erasure]:
    """What `erase_due` would erase by retention alone."""
    return plan_retention(_kept(engine), policy, now)


def _kept(engine: Engine) -> Sequence[KeptItem]:
    with reading(engine) as connection:
        return kept_items(connection)


def _carry_out(
    engine: Engine, blobs: BlobStore, plan: Erasure, *, now: datetime, actor: str
) -> None:
    # First, so that nothing of them is left where this is cut off in between.
    for name in plan.media:
        MaterialStore(blobs.materials).drop(Path(name).name)
    erase(engine, blobs.media, plan, actor=actor, at=now)
    with writing(engine) as connection:
        _forget(connection, plan.item, now)


def _forget(connection: Connection, item_id: str, now: datetime) -> None:
    """Blank the free text about an item; scores and routes stay, which name nobody."""
    row = connection.execute(
        update(items)
        .where(items.c.id == item_id)
        .values(state=ItemState.ERASED, erased_at=now, declared_name="", uploader=None)
        .returning(items.c.sha256)
    ).one_or_none()
    cases = select(tasks.c.id).where(tasks.c.item_id == item_id)
    connection.execute(update(tasks).where(tasks.c.item_id == item_id).values(handover_note=None))
    connection.execute(update(decisions).where(decisions.c.case_id.in_(cases)).values(note=""))
    connection.execute(update(appeals).where(appeals.c.case_id.in_(cases)).values(grounds=""))
    connection.execute(
        update(golden_items).where(golden_items.c.item_id == item_id).values(is_active=False)
    )
    # Nobody can score or see it any more.
    error = ItemError("erased", "an item that was erased", "its media", "None is left.", False)
    connection.execute(
        update(jobs)
        .where(jobs.c.item_id == item_id, IS_OPEN)
        .values(state=JobState.DEAD, error=error_json(error), closed_at=now, token=None)
    )
    connection.execute(
        update(tasks)
        .where(tasks.c.item_id == item_id, tasks.c.state == TaskState.WAITING)
        .values(state=TaskState.WITHDRAWN, closed_at=now)
    )
    if row is None:
        return
    still = select(items.c.id).where(items.c.sha256 == row.sha256, items.c.erased_at.is_(None))
    if connection.scalar(still.limit(1)) is None:
        # What the judge wrote may tell what is to be seen; the digits do not.
        of_bytes = select(results).where(results.c.sha256 == row.sha256)
        for kept in connection.execute(of_bytes).all():
            told = ("rationale", "claims", "provenance", "picture_hashes")
            plain = dict(kept.result) | dict.fromkeys(told)
            is_it = [one == getattr(kept, one.name) for one in results.primary_key]
            connection.execute(update(results).where(*is_it).values(result=plain))
        connection.execute(delete(pictures).where(pictures.c.sha256 == row.sha256))
        connection.execute(
            delete(lookalikes).where(
                or_(lookalikes.c.sha256 == row.sha256, lookalikes.c.other_sha256 == row.sha256)
            )
        )
