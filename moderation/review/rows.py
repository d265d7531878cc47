"""Rows of the tables as values."""

from sqlalchemy import Row

from encoders.types import Modality
from moderation.review.types import (
    Action,
    Appeal,
    AppealState,
    Decision,
    Desk,
    Finding,
    Lease,
    Reviewer,
    ReviewTask,
    Role,
    Ruling,
    TaskKind,
    TaskRecord,
    TaskState,
    Verdict,
    Wellness,
)

AnyRow = Row[tuple[object, ...]]


def review_task(row: AnyRow) -> ReviewTask:
    """Of a row of tasks: what its reviewer may see."""
    return ReviewTask(
        id=row.id,
        desk=Desk(row.desk),
        item_id=row.item_id,
        sha256=row.sha256,
        clause_id=row.clause_id,
        policy_version=row.policy_version,
        modality=Modality(row.modality),
        created_at=row.created_at,
        lane=row.lane,
        priority=row.priority,
        handling_minutes=row.handling_minutes,
        factors=row.factors,
        is_harmful=row.is_harmful,
        group_id=row.group_id,
        due_at=row.due_at,
        handover_note=row.handover_note,
    )


def task_record(row: AnyRow) -> TaskRecord:
    """Of a row of tasks: all of it."""
    return TaskRecord(
        task=review_task(row),
        case_id=row.case_id,
        kind=TaskKind(row.kind),
        state=TaskState(row.state),
        propensity=row.propensity,
        is_sampled=row.is_sampled,
        rerank_at=row.rerank_at,
        closed_at=row.closed_at,
    )


def lease(row: AnyRow) -> Lease:
    """Of a row of leases."""
    return Lease(
        task_id=row.task_id,
        token=row.token,
        reviewer_id=row.reviewer_id,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
    )


def decision(row: AnyRow) -> Decision:
    """Of a row of decisions."""
    return Decision(
        id=row.id,
        task_id=row.task_id,
        case_id=row.case_id,
        reviewer_id=row.reviewer_id,
        finding=Finding(
            Verdict(row.verdict), Action(row.action), reason_code=row.reason_code, note=row.note
        ),
        claimed_at=row.claimed_at,
        decided_at=row.decided_at,
        wants_second=row.wants_second,
        bulk_id=row.bulk_id,
        undone_at=row.undone_at,
    )


def ruling(row: AnyRow) -> Ruling:
    """Of a row of rulings."""
    return Ruling(
        id=row.id,
        case_id=row.case_id,
        decision_id=row.decision_id,
        ruled_at=row.ruled_at,
        replaced_at=row.replaced_at,
    )


def appeal(row: AnyRow) -> Appeal:
    """Of a row of appeals."""
    return Appeal(
        id=row.id,
        case_id=row.case_id,
        task_id=row.task_id,
        ruling_id=row.ruling_id,
        grounds=row.grounds,
        filed_at=row.filed_at,
        state=AppealState(row.state),
        decision_id=row.decision_id,
        closed_at=row.closed_at,
    )


def reviewer(row: AnyRow) -> Reviewer:
    """Of a row of reviewers."""
    return Reviewer(
        id=row.id,
        role=Role(row.role),
        is_automated=row.is_automated,
        is_active=row.is_active,
        wellness=Wellness(
            has_blur=row.has_blur,
            has_greyscale=row.has_greyscale,
            has_mute=row.has_mute,
            work_minutes=row.work_minutes,
            break_minutes=row.break_minutes,
            harmful_daily_max=row.harmful_daily_max,
        ),
    )
