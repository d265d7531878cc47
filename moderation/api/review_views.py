"""How review is shown, and what it is told."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from encoders.types import Modality
from moderation.api.fields import IDENTIFIER, Body, View, Words
from moderation.review.types import (
    Action,
    AppealState,
    Claim,
    Decision,
    Desk,
    TaskKind,
    TaskRecord,
    TaskState,
    Verdict,
)

Token = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The lease's token, from the claim.")
]


class TaskView(View):
    """A task as its reviewer sees it: real work, second reviews and golden items look alike."""

    id: str
    desk: Desk
    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: Modality
    created_at: datetime
    lane: int = Field(description="Lower goes first, whatever the priority.")
    priority: float
    handling_minutes: float
    factors: dict[str, Any] = Field(description="What the priority was computed from.")
    is_harmful: bool
    group_id: str | None
    due_at: datetime | None
    handover_note: str | None


class QueuedTaskView(TaskView):
    """A task with what only leads see."""

    case_id: str
    kind: TaskKind
    state: TaskState
    propensity: float

    @classmethod
    def of(cls, record: TaskRecord) -> "QueuedTaskView":
        """From a record."""
        task = TaskView.model_validate(record.task).model_dump()
        return cls(
            **task,
            case_id=record.case_id,
            kind=record.kind,
            state=record.state,
            propensity=record.propensity,
        )


class LeaseView(View):
    """The right to decide a task. The token proves it: keep it to yourself."""

    task_id: str
    token: str
    granted_at: datetime
    expires_at: datetime


class ClaimView(View):
    """A task and the lease on it; both null where nothing waits for this reviewer."""

    task: TaskView | None
    lease: LeaseView | None

    @classmethod
    def of(cls, claimed: Claim | None) -> "ClaimView":
        """From what review gave."""
        return cls(task=None, lease=None) if claimed is None else cls.model_validate(claimed)


class DecisionView(View):
    """One person's finding on one task."""

    id: str
    task_id: str
    case_id: str
    reviewer_id: str
    verdict: Verdict
    action: Action
    reason_code: str
    note: str
    claimed_at: datetime
    decided_at: datetime
    wants_second: bool
    bulk_id: str | None
    undone_at: datetime | None

    @classmethod
    def of(cls, taken: Decision) -> "DecisionView":
        """From a decision."""
        found = taken.finding
        return cls(
            id=taken.id,
            task_id=taken.task_id,
            case_id=taken.case_id,
            reviewer_id=taken.reviewer_id,
            verdict=found.verdict,
            action=found.action,
            reason_code=found.reason_code,
            note=found.note,
            claimed_at=taken.claimed_at,
            decided_at=taken.decided_at,
            wants_second=taken.wants_second,
            bulk_id=taken.bulk_id,
            undone_at=taken.undone_at,
        )


class DecisionsView(View):
    """What was decided: one task, or the copies of a group."""

    decisions: list[DecisionView]


class AppealView(View):
    """A complaint against a ruling, or against what the machine did alone."""

    id: str
    case_id: str
    task_id: str
    ruling_id: str | None
    grounds: str
    filed_at: datetime
    state: AppealState
    decision_id: str | None
    closed_at: datetime | None


class ClaimBody(Body):
    """Where to claim. Appeals never come to who decided before."""

    desk: Desk = Desk.GENERAL


class LeaseBody(Body):
    """Which lease."""

    token: Token


class EscalationBody(LeaseBody):
    """Which lease, and what the lead should know."""

    note: Words = ""


class DecisionBody(LeaseBody):
    """A finding on the leased task."""

    verdict: Verdict
    action: Action
    reason_code: Annotated[str, Field(pattern=IDENTIFIER, max_length=64)] = Field(
        description="One of the clause's reasons; the policy has them."
    )
    note: Words = Field(default="", description="For colleagues; not for the uploader.")
    wants_second: bool = Field(default=False, description="Ask for a blind second review.")
    for_group: bool = Field(default=False, description="Decide all waiting copies alike.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "token": "Zk3…",
                    "verdict": "manipulated",
                    "action": "remove",
                    "reason_code": "synthetic",
                    "note": "The lips do not follow the words.",
                }
            ]
        }
    )
