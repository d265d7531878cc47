"""What the server answers, as values; fields that a later server adds are left out."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from moderation.intake.types import ItemState, Source
from moderation.review.types import (
    Action,
    AppealState,
    Desk,
    TaskKind,
    TaskState,
    Verdict,
)
from moderation.types import Disposition


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Route(_Answer):
    """The route of an item under a policy."""

    policy_id: str
    disposition: Disposition
    action: str | None
    clause_id: str
    probability: float | None
    is_by_person: bool
    served_by: str | None = None
    near_distance: int | None = None
    task_id: str | None
    settled_at: datetime
    changed_at: datetime


class Item(_Answer):
    """An item as it was handed in."""

    id: str
    sha256: str
    size_bytes: int
    name: str
    surface: str
    uploader: str | None
    source: Source
    state: ItemState
    created_at: datetime
    settled_at: datetime | None


class ItemStatus(Item):
    """An item, and what became of it; route: None while it waits."""

    route: Route | None


class Upload(_Answer):
    """How far an upload has come."""

    sha256: str
    offset: int
    item: Item | None


class Result(_Answer):
    """What the machine found. score: 0 wholly fabricated, 9 wholly authentic."""

    item_id: str
    score: float | None
    probability: float | None
    route: Route | None
    reasons: list[str]
    error: dict[str, Any] | None


class Task(_Answer):
    """Work for a person. case_id, kind, state: for leads only."""

    id: str
    desk: Desk
    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: str
    created_at: datetime
    lane: int
    priority: float
    handling_minutes: float
    factors: dict[str, Any]
    is_harmful: bool
    group_id: str | None
    due_at: datetime | None
    handover_note: str | None
    case_id: str | None = None
    kind: TaskKind | None = None
    state: TaskState | None = None


class Golden(_Answer):
    """An item with a known answer, and how reviewers did on it."""

    id: str
    item_id: str
    clause_id: str
    modality: str
    verdict: Verdict
    added_by: str
    added_at: datetime
    is_active: bool
    shown: int
    right: int


class Lease(_Answer):
    """The right to decide a task."""

    task_id: str
    token: str
    granted_at: datetime
    expires_at: datetime


class Claim(_Answer):
    """A task and the lease on it."""

    task: Task
    lease: Lease


class Next(_Answer):
    """What a claim would bring about."""

    waits: bool
    lane: int | None
    clause_id: str | None
    modality: str | None
    due_at: datetime | None


class Decision(_Answer):
    """One person's finding on one task."""

    id: str
    task_id: str
    case_id: str
    reviewer_id: str
    verdict: Verdict
    action: Action
    reason_code: str
    note: str
    decided_at: datetime
    undone_at: datetime | None


class Appeal(_Answer):
    """A complaint, and what became of it."""

    id: str
    case_id: str
    task_id: str
    grounds: str
    filed_at: datetime
    state: AppealState
    closed_at: datetime | None
