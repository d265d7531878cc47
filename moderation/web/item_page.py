"""What the page of a task shows, gathered: nothing that is hidden gets as far as a template."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from moderation.access.role_sets import LEADERS
from moderation.casework.adoption import stored_policy
from moderation.casework.earlier import earlier_decisions
from moderation.casework.statements import clause_of
from moderation.database import reading
from moderation.policy.schema import Reveal
from moderation.review.appeals import appeal_of_task
from moderation.review.first_views import first_view
from moderation.review.holding import count_group, live_lease, visible_task
from moderation.review.reviewers import find_reviewer
from moderation.review.types import Action, Lease, TaskRecord, Verdict
from moderation.types import CalibratedScore, ItemError
from moderation.web.evidence import ItemEvidence, evidence_of, why
from moderation.web.guard import ConsoleServices, Visitor
from moderation.web.media_types import shown_type
from moderation.web.shown_materials import ShownMaterials, State, facts_of, shown
from moderation.web.undoing import undoable_of

RATIONALE_CHARACTERS_MAX = 8000


@dataclass(frozen=True, slots=True)
class JudgeView:
    """What the judge says. rationale: its text, untrusted; None without one. error: in its place.

    score: 0 (wholly fabricated) to 9 (wholly authentic), None where there is none.
    """

    score: float | None
    calibrated: CalibratedScore | None
    error: ItemError | None
    rationale: str | None
    claims: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TaskInSight:
    """A task that a visitor may see, and their own lease on it, if they have one."""

    record: TaskRecord
    lease: Lease | None
    is_hidden: bool


def in_sight(
    connection: Connection, services: ConsoleServices, visitor: Visitor, task_id: str
) -> TaskInSight:
    """Whoever holds it sees a task, and leads do. Its judge's view is hidden from the holder alone.

    The policy in force says so, not the one that the task was opened under: otherwise older and
    golden items would look unlike others.

    Raises:
        NotFound: no such task, or none of theirs.
    """
    name = visitor.key.name
    record = visible_task(connection, task_id, name, sees_all=visitor.key.role in LEADERS)
    lease = live_lease(connection, task_id, name)
    reveal = services.parts.deployment().live.review.reveal
    is_hidden = (
        reveal is Reveal.AFTER_VIEW
        and lease is not None
        and first_view(connection, task_id, name) is None
    )
    return TaskInSight(record, lease, is_hidden)


def evidence_context(
    services: ConsoleServices, visitor: Visitor, task_id: str, *, is_fresh: bool = False
) -> dict[str, Any]:
    """All that stands under the media. is_fresh: what was hidden has just been asked for.

    Raises:
        NotFound: see `in_sight`.
    """
    parts = services.parts
    now = parts.clock()
    with reading(parts.engine) as connection:
        seen = in_sight(connection, services, visitor, task_id)
        task = seen.record.task
        evidence = evidence_of(connection, task, parts.deployment())
        copies = count_group(connection, task.group_id)
        earlier = earlier_decisions(connection, seen.record)
        appeal = appeal_of_task(connection, task_id)
        view = first_view(connection, task_id, visitor.key.name)
    return {
        "task": task,
        "lease": seen.lease,
        "is_hidden": seen.is_hidden,
        "is_fresh": is_fresh,
        "view": view,
        "item": evidence.item,
        "origin": None if evidence.result is None else evidence.result.provenance,
        "judge": None if seen.is_hidden else judge_view(evidence),
        "unusual_names": () if evidence.result is None else evidence.result.unusual_signals,
        "lookalikes": evidence.lookalikes,
        "copies": copies,
        "earlier": earlier,
        "appeal": appeal,
        "why": None if seen.is_hidden else why(task, now),
        "materials": _materials(services, evidence, with_judge=not seen.is_hidden),
        "base": f"/console/tasks/{task.id}",
        "verdicts": list(Verdict),
    }


def page_context(services: ConsoleServices, visitor: Visitor, task_id: str) -> dict[str, Any]:
    """The whole page.

    Raises:
        NotFound: see `in_sight`.
    """
    parts = services.parts
    context = evidence_context(services, visitor, task_id)
    task = context["task"]
    with reading(parts.engine) as connection:
        policy = stored_policy(connection, task.policy_version)
        reviewer = find_reviewer(connection, visitor.key.name)
        undoable = undoable_of(connection, services, visitor)
    path = parts.blobs.path(task.sha256)
    is_there = path.is_file()
    return context | {
        "clause": clause_of(policy, task.clause_id),
        "wellness": reviewer.wellness,
        "undoable": undoable,
        "has_media": is_there,
        "shown": shown_type(path, task.modality) if is_there else None,
        "actions": list(Action),
    }


def judge_view(evidence: ItemEvidence) -> JudgeView | None:
    """None where no result is kept."""
    result = evidence.result
    if result is None:
        return None
    told = evidence.explained or result
    rationale = None if told.judgment is None else told.judgment.rationale
    return JudgeView(
        score=None if result.judgment is None else result.judgment.expected_score,
        calibrated=evidence.calibrated,
        error=result.error,
        rationale=None if rationale is None else rationale.text[:RATIONALE_CHARACTERS_MAX],
        claims=() if rationale is None else rationale.claims,
    )


def _materials(
    services: ConsoleServices, evidence: ItemEvidence, *, with_judge: bool
) -> ShownMaterials:
    if evidence.item is None:
        return ShownMaterials(State.NONE)
    state, facts = facts_of(services.parts, evidence.item)
    return shown(services.parts, evidence.item, state, facts, with_judge=with_judge)
