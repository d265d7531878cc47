"""From rows of the tables to values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from moderation.intake.types import (
    DispositionRecord,
    Item,
    ItemState,
    Job,
    JobKind,
    JobState,
    Report,
    Source,
    Views,
)
from moderation.types import Disposition, ItemError, Mode

AnyRow = Row[tuple[object, ...]]


def item(row: AnyRow) -> Item:
    """Of a row of items."""
    return Item(
        id=row.id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        surface=row.surface,
        declared_name=row.declared_name,
        uploader=row.uploader,
        source=Source(row.source),
        views=Views(row.reach, row.remaining_views, row.views_an_hour),
        reported_clause=row.reported_clause,
        state=ItemState(row.state),
        created_at=row.created_at,
        settled_at=row.settled_at,
        erased_at=row.erased_at,
    )


def report(row: AnyRow) -> Report:
    """Of a row of reports."""
    return Report(row.id, row.item_id, row.clause_id, row.reporter, row.created_at)


def job(row: AnyRow) -> Job:
    """Of a row of jobs."""
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        item_id=row.item_id,
        mode=Mode(row.mode),
        state=JobState(row.state),
        deliveries=row.deliveries,
        not_before=row.not_before,
        lease_until=row.lease_until,
        token=row.token,
        error=None if row.error is None else ItemError(**row.error),
        created_at=row.created_at,
        closed_at=row.closed_at,
        traceparent=row.traceparent,
    )


def error_json(error: ItemError) -> Mapping[str, Any]:
    """As `job` reads it; without what no database keeps."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        if isinstance(value, str)
        else value
        for name, value in asdict(error).items()
    }


def disposition(row: AnyRow) -> DispositionRecord:
    """Of a row of dispositions."""
    return DispositionRecord(
        item_id=row.item_id,
        policy_id=row.policy_id,
        sha256=row.sha256,
        disposition=Disposition(row.disposition),
        action=row.action,
        clause_id=row.clause_id,
        probability=row.probability,
        outcome=row.outcome,
        shadow=row.shadow,
        task_id=row.task_id,
        served_by=row.served_by,
        near_distance=row.near_distance,
        is_by_person=row.is_by_person,
        decision_id=row.decision_id,
        settled_at=row.settled_at,
        changed_at=row.changed_at,
    )
