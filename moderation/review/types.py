"""Values of review: work for a person, who holds it, and what became of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from encoders.types import Modality


class Desk(StrEnum):
    """Which pile a task lies on. Appeals and what was escalated have one of their own."""

    GENERAL = "general"
    LEAD = "lead"
    APPEALS = "appeals"


class TaskKind(StrEnum):
    """Why a task exists. A reviewer is never told."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    LEAD = "lead"
    APPEAL = "appeal"
    GOLDEN = "golden"


class TaskState(StrEnum):
    """Where a task is; only a waiting one can be claimed, only a leased one decided."""

    WAITING = "waiting"
    LEASED = "leased"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a person holds the media to be."""

    MANIPULATED = "manipulated"
    AUTHENTIC = "authentic"
    UNDETERMINED = "undetermined"


class Action(StrEnum):
    """What happens to the item."""

    LEAVE = "leave"
    LABEL = "label"
    RESTRICT = "restrict"
    REMOVE = "remove"


class Role(StrEnum):
    """What a person may do; a lead also works the lead desk."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"


class LeaseEnd(StrEnum):
    """How a lease ended."""

    DECIDED = "decided"
    RELEASED = "released"
    SKIPPED = "skipped"
    ESCALATED = "escalated"
    EXPIRED = "expired"


class AppealState(StrEnum):
    """Open until a person has decided it."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


def _require_zone(**times: datetime | None) -> None:
    for name, time in times.items():
        if time is not None and time.tzinfo is None:
            raise ValueError(f"{name} {time.isoformat()} has no time zone")


@dataclass(frozen=True, slots=True)
class NewTask:
    """An item that needs a person, as triage hands it over.

    sha256: of the item's bytes, hexadecimal. lane: lower goes first, whatever the priority;
    0 is the most urgent legal lane. priority: finite, higher goes first within a lane. factors:
    what the priority was computed from, as JSON; kept and shown. rerank_at: when ageing will
    have raised the priority enough to store it anew; None: it does not age. is_harmful: counts
    towards a reviewer's daily exposure. handling_minutes: expected, above 0. propensity: the
    probability with which triage sent an item like this to review, (0, 1]. is_sampled: drawn for
    the sample that labels are made from; has reserved turns. group_id: shared by copies that can
    be decided together. due_at: the end of the service level.
    """

    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: Modality
    created_at: datetime
    lane: int
    priority: float
    handling_minutes: float
    factors: Mapping[str, Any] = field(default_factory=dict)
    rerank_at: datetime | None = None
    is_harmful: bool = False
    propensity: float = 1.0
    is_sampled: bool = False
    group_id: str | None = None
    due_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_zone(created_at=self.created_at, rerank_at=self.rerank_at, due_at=self.due_at)
        if not math.isfinite(self.priority):
            raise ValueError(f"priority {self.priority} is not finite")
        if not (math.isfinite(self.handling_minutes) and self.handling_minutes > 0):
            raise ValueError(f"handling minutes {self.handling_minutes} are not above 0")
        if not 0.0 < self.propensity <= 1.0:
            raise ValueError(f"propensity {self.propensity} is not in (0, 1]")
        if len(self.sha256) != 64 or not set(self.sha256) <= set("0123456789abcdef"):
            raise ValueError(f"{self.sha256!r} is no SHA-256 in lower-case hexadecimal")


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A task as a reviewer is given it: the same for real work, second reviews and golden items.

    handover_note: of whoever escalated it. The other fields are as in `NewTask`.
    """

    id: str
    desk: Desk
    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: Modality
    created_at: datetime
    lane: int
    priority: float
    handling_minutes: float
    factors: Mapping[str, Any]
    is_harmful: bool
    group_id: str | None
    due_at: datetime | None
    handover_note: str | None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task with what only leads and reports may see.

    case_id: the first task of the same item under the same policy version; its own id for that.
    """

    task: ReviewTask
    case_id: str
    kind: TaskKind
    state: TaskState
    propensity: float
    is_sampled: bool
    rerank_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to decide a task; `token` is what proves it. Times are those of the callers."""

    task_id: str
    token: str = field(repr=False)
    reviewer_id: str
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A task and the lease on it."""

    task: ReviewTask
    lease: Lease


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer found, and what is to be done.

    reason_code: of the policy's clause. note: free text, for colleagues.
    """

    verdict: Verdict
    action: Action
    reason_code: str
    note: str = ""

    def __post_init__(self) -> None:
        if not self.reason_code.strip():
            raise ValueError("a finding needs a reason code")

    def agrees(self, other: "Finding") -> bool:
        """Whether both come to the same verdict and action, for whatever reason."""
        return (self.verdict, self.action) == (other.verdict, other.action)


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's finding on one task.

    claimed_at: when the task came to the reviewer. wants_second: they asked for a second
    opinion. bulk_id: shared by decisions that were taken together. undone_at: taken back then.
    """

    id: str
    task_id: str
    case_id: str
    reviewer_id: str
    finding: Finding
    claimed_at: datetime
    decided_at: datetime
    wants_second: bool = False
    bulk_id: str | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The finding that holds for a case; replaced_at: another has held since then, or none."""

    id: str
    case_id: str
    decision_id: str
    ruled_at: datetime
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appeal:
    """A complaint against a ruling, or against what the machine did alone (`ruling_id` None)."""

    id: str
    case_id: str
    task_id: str
    ruling_id: str | None
    grounds: str
    filed_at: datetime
    state: AppealState
    decision_id: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wellness:
    """How media is shown to a reviewer, and how much of it.

    has_blur, has_greyscale, has_mute: on until the reviewer turns them off. After `work_minutes`
    without a pause of `break_minutes`, such a pause is due. harmful_daily_max: tasks marked
    harmful in any 24 hours.
    """

    has_blur: bool = True
    has_greyscale: bool = True
    has_mute: bool = True
    work_minutes: float = 90.0
    break_minutes: float = 10.0
    harmful_daily_max: int = 200

    def __post_init__(self) -> None:
        if self.work_minutes <= 0 or self.break_minutes <= 0 or self.harmful_daily_max < 0:
            raise ValueError(f"{self} has a limit below its least value")


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who works the queue; is_automated: a program, which may not decide appeals."""

    id: str
    role: Role = Role.REVIEWER
    is_automated: bool = False
    is_active: bool = True
    wellness: Wellness = Wellness()
