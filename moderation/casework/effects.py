"""What a ruling does to the routes of an item and of its copies."""

from collections.abc import Mapping, Sequence

from sqlalchemy import case as sql_case
from sqlalchemy import delete, or_, select, update

from moderation.casework.precedents import lock_contents
from moderation.intake import rows
from moderation.intake.jobs import add_job
from moderation.intake.listings import jobs_of
from moderation.intake.tables import dispositions, items
from moderation.intake.types import DispositionRecord, ItemState, JobKind
from moderation.policy.schema import Action as PolicyAction
from moderation.policy.schema import Clause
from moderation.review.transaction import Transaction
from moderation.review.types import Action, TaskRecord
from moderation.types import Disposition

_RESTRICTIONS = (PolicyAction.DISABLE, PolicyAction.LIMIT_REACH, PolicyAction.AGE_RESTRICT)


def effect_of(action: Action, clause: Clause) -> tuple[Disposition, PolicyAction | None]:
    """The route that a reviewer's action means under a clause.

    A restriction is the clause's own, where that is one, and less reach otherwise.
    """
    if action is Action.LEAVE:
        return Disposition.ALLOW, None
    if action is Action.REMOVE:
        return Disposition.ENFORCE, PolicyAction.REMOVE
    if action is Action.LABEL:
        return Disposition.ENFORCE, PolicyAction.LABEL
    own = clause.action in _RESTRICTIONS
    return Disposition.ENFORCE, clause.action if own else PolicyAction.LIMIT_REACH


def apply_ruling(
    tx: Transaction,
    case: TaskRecord,
    disposition: Disposition,
    action: PolicyAction | None,
    decision_id: str,
) -> Sequence[DispositionRecord]:
    """Let a ruling hold for the item of a case and for every copy that it serves; which those are.

    The ruled item comes first. It stands for itself from now on, and for the others with its
    bytes, where the decision on a near-duplicate served them.
    """
    tx.connection.execute(
        update(dispositions)
        .where(
            dispositions.c.sha256 == case.task.sha256,
            dispositions.c.clause_id == case.task.clause_id,
            dispositions.c.near_distance.is_not(None),
        )
        .values(
            served_by=sql_case(
                (dispositions.c.item_id == case.task.item_id, None), else_=case.task.item_id
            ),
            near_distance=None,
        )
    )
    return _change(
        tx,
        case,
        {
            "disposition": disposition,
            "action": action,
            "is_by_person": True,
            "decision_id": decision_id,
            "changed_at": tx.now,
        },
    )


def withdraw_ruling(tx: Transaction, case: TaskRecord) -> Sequence[DispositionRecord]:
    """Give the item of a case and its copies the route again that triage gave the item."""
    outcome = tx.connection.scalar(
        select(dispositions.c.outcome).where(
            dispositions.c.item_id == case.task.item_id,
            dispositions.c.policy_id == case.task.policy_version,
        )
    )
    if outcome is None:
        return ()
    route = {name: outcome[name] for name in ("disposition", "action")}
    return _change(
        tx,
        case,
        {**route, "is_by_person": False, "decision_id": None, "changed_at": tx.now},
    )


def release_near_copies(tx: Transaction, case: TaskRecord) -> Sequence[DispositionRecord]:
    """Settle the near-duplicates anew that the ruling on a case served; which those are.

    They have no route until their job is worked off, which takes no new score. Those that a
    complaint is about keep theirs until it is decided.
    """
    released = tx.connection.execute(
        delete(dispositions)
        .where(
            dispositions.c.served_by == case.task.item_id,
            dispositions.c.near_distance.is_not(None),
            dispositions.c.task_id.is_(None),
            dispositions.c.item_id.in_(select(items.c.id).where(items.c.erased_at.is_(None))),
        )
        .returning(dispositions)
    ).all()
    found = sorted(map(rows.disposition, released), key=lambda one: one.item_id)
    for one in found:
        tx.connection.execute(
            update(items)
            .where(items.c.id == one.item_id)
            .values(state=ItemState.WAITING, settled_at=None)
        )
        [*_, scored] = jobs_of(tx.connection, one.item_id)
        add_job(tx.connection, JobKind.SCORE, one.item_id, scored.mode, now=tx.now)
    return found


def _change(
    tx: Transaction, case: TaskRecord, values: Mapping[str, object]
) -> Sequence[DispositionRecord]:
    item_id = case.task.item_id
    lock_contents(tx.connection, case.task.sha256)
    changed = tx.connection.execute(
        update(dispositions)
        .where(
            or_(
                (dispositions.c.item_id == item_id)
                & (dispositions.c.policy_id == case.task.policy_version),
                (dispositions.c.served_by == item_id) & dispositions.c.near_distance.is_(None),
            )
        )
        .values(values)
        .returning(dispositions)
    ).all()
    found = [rows.disposition(row) for row in changed]
    return sorted(found, key=lambda one: (one.item_id != item_id, one.settled_at, one.item_id))
