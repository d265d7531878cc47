"""What a ruling does to the routes of an item and of its copies."""

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select, update

from moderation.casework.precedents import lock_contents
from moderation.intake import rows
from moderation.intake.tables import dispositions
from moderation.intake.types import DispositionRecord
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

    The ruled item comes first.
    """
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
                dispositions.c.served_by == item_id,
            )
        )
        .values(values)
        .returning(dispositions)
    ).all()
    found = [rows.disposition(row) for row in changed]
    return sorted(found, key=lambda one: (one.item_id != item_id, one.settled_at, one.item_id))
