"""What follows from what happened in review, in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from moderation.audit.commitments import CommittedText
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.store import Search, append, search
from moderation.casework import recording
from moderation.casework.adoption import stored_policy
from moderation.casework.effects import (
    apply_ruling,
    effect_of,
    release_near_copies,
    withdraw_ruling,
)
from moderation.casework.statements import Grounds, clause_of, issue_statement, reason_of
from moderation.intake.listings import find_item
from moderation.intake.tables import dispositions
from moderation.intake.types import DispositionRecord
from moderation.review import rows
from moderation.review.appeals import appeal_of_task
from moderation.review.cases import ruling_in_force
from moderation.review.reviewers import find_reviewer
from moderation.review.tables import decisions, tasks
from moderation.review.transaction import ReviewEvent, Transaction
from moderation.review.types import Action, TaskKind, TaskRecord, Verdict
from moderation.types import Disposition

_CONFIRMED = {
    Verdict.MANIPULATED: "found it manipulated",
    Verdict.AUTHENTIC: "found it authentic, and yet against the rules",
    Verdict.UNDETERMINED: "could not find out whether it is manipulated",
}


@dataclass(slots=True)
class _Follow:
    """What is written at the end: records first, with their texts, then statements."""

    records: list[AuditRecord] = field(default_factory=list)
    texts: list[CommittedText] = field(default_factory=list)
    decided_at: dict[str, int] = field(default_factory=dict)
    statements: list[tuple[str, Grounds]] = field(default_factory=list)


def follow(
    tx: Transaction, events: Sequence[ReviewEvent], *, namespace: str, actor: str | None
) -> None:
    """Write what `events` lead to.

    Raises:
        StatementError: an action without a reason that the policy has.
    """
    todo = _Follow()
    for event in events:
        row = tx.connection.execute(select(tasks).where(tasks.c.id == event.task_id)).one()
        task = rows.task_record(row)
        _FOLLOWING[event.name](tx, event, task, todo, actor)
    if not todo.records:
        return
    end = append(tx.connection, todo.records, kept=todo.texts)
    before = end.sequence - len(todo.records)
    for item_id, grounds in todo.statements:
        place = todo.decided_at.get(grounds.decision_id)
        issue_statement(
            tx,
            find_item(tx.connection, item_id),
            grounds,
            namespace=namespace,
            decision=None if place is None else before + place,
        )


def _decided(
    tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow, _actor: str | None
) -> None:
    reviewer = find_reviewer(tx.connection, event.actor_id or "")
    claimed_at = tx.connection.scalars(
        select(decisions.c.claimed_at).where(decisions.c.id == event.facts["decision_id"])
    ).one()
    body = {
        "action": event.facts["action"],
        "policy": recording.policy_word(task.task.policy_version),
        "task": task.task.id,
        "clause": recording.word(task.task.clause_id),
        "reasons": [recording.word(event.facts["reason_code"])],
        # The clocks of two machines may differ.
        "seconds": max(0.0, (event.at - claimed_at).total_seconds()),
        "is_automated": reviewer.is_automated,
        "texts": _keep(todo, event.facts["note"]),
    }
    todo.records.append(_record(RecordKind.DECIDED, event, task, body))
    todo.decided_at[event.facts["decision_id"]] = len(todo.records)


def _undone(
    tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow, _actor: str | None
) -> None:
    wanted = Search(item=task.task.item_id, kind=RecordKind.DECIDED, newest_first=True, limit=1000)
    earlier = [
        one["sequence"]
        for one in search(tx.connection, wanted)
        if one["body"].get("task") == task.task.id
    ]
    if earlier:
        body = {"undoes": earlier[0], "task": task.task.id}
        todo.records.append(_record(RecordKind.UNDONE, event, task, body))
    if task.kind is not TaskKind.GOLDEN and ruling_in_force(tx, task.case_id) is None:
        for changed in withdraw_ruling(tx, _case(tx, task)):
            todo.records.append(_rerouted(event, changed, "undone"))
        _release(tx, event, task, todo)


def _ruled(
    tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow, _actor: str | None
) -> None:
    case = _case(tx, task)
    policy = stored_policy(tx.connection, case.task.policy_version)
    clause = clause_of(policy, case.task.clause_id)
    action, verdict = Action(event.facts["action"]), Verdict(event.facts["verdict"])
    route, policy_action = effect_of(action, clause)
    was_machine = tx.connection.scalar(
        select(dispositions.c.disposition).where(
            dispositions.c.item_id == case.task.item_id,
            dispositions.c.policy_id == case.task.policy_version,
        )
    )
    decision_id = event.facts["decision_id"]
    for changed in apply_ruling(tx, case, route, policy_action, decision_id):
        todo.records.append(_rerouted(event, changed, "ruled"))
        if policy_action is None:
            continue
        grounds = Grounds(
            decision_id=decision_id,
            action=policy_action,
            clause=clause,
            reason=reason_of(clause, event.facts["reason_code"]),
            facts=f"A person looked at the item and {_CONFIRMED[verdict]}.",
            modality=case.task.modality,
            is_synthetic=verdict is Verdict.MANIPULATED,
            by_machine=was_machine == Disposition.ENFORCE or changed.served_by is not None,
            by_person=True,
        )
        todo.statements.append((changed.item_id, grounds))
    _release(tx, event, task, todo)


def _release(tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow) -> None:
    for one in release_near_copies(tx, _case(tx, task)):
        again = replace(one, disposition=Disposition.REVIEW)
        todo.records.append(_rerouted(event, again, "near_duplicate_changed"))


def _appeal_filed(
    tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow, actor: str | None
) -> None:
    appeal = appeal_of_task(tx.connection, task.task.id)
    grounds = "" if appeal is None else appeal.grounds
    body = {"appeal": event.facts["appeal_id"], "texts": _keep(todo, grounds)}
    record = AuditRecord(
        RecordKind.APPEALED, event.at, actor or "system:appeals", task.task.item_id, body
    )
    todo.records.append(record)


def _appeal_closed(
    tx: Transaction, event: ReviewEvent, task: TaskRecord, todo: _Follow, _actor: str | None
) -> None:
    body = {"appeal": event.facts["appeal_id"], "outcome": event.facts["state"]}
    todo.records.append(_record(RecordKind.APPEAL_DECIDED, event, task, body))


_FOLLOWING = {
    "decided": _decided,
    "undone": _undone,
    "ruled": _ruled,
    "appeal_filed": _appeal_filed,
    "appeal_closed": _appeal_closed,
}


def _case(tx: Transaction, task: TaskRecord) -> TaskRecord:
    query = select(tasks).where(tasks.c.id == task.case_id)
    return rows.task_record(tx.connection.execute(query).one())


def _keep(todo: _Follow, text: str) -> list[str]:
    if not text:
        return []
    kept = recording.committed(text)
    todo.texts.append(kept)
    return [kept.commitment]


def _record(
    kind: RecordKind, event: ReviewEvent, task: TaskRecord, body: dict[str, object]
) -> AuditRecord:
    who = "system:review" if event.actor_id is None else recording.actor("reviewer", event.actor_id)
    return AuditRecord(kind, event.at, who, task.task.item_id, body)


def _rerouted(event: ReviewEvent, changed: DispositionRecord, reason: str) -> AuditRecord:
    body = {
        "disposition": changed.disposition,
        "policy": recording.policy_word(changed.policy_id),
        "reason": reason,
        "clause": changed.clause_id,
        "duplicate_of": changed.served_by,
        "near_distance": changed.near_distance,
    }
    return AuditRecord(RecordKind.TRIAGED, event.at, recording.REVIEW, changed.item_id, body)
