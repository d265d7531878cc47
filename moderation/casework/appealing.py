"""A complaint against what happened to an item, whoever decided: a person, or the machine."""

from encoders.types import Modality
from moderation.casework.tasks import UNKNOWN_MODALITY
from moderation.errors import PermanentError
from moderation.intake.listings import dispositions_of
from moderation.intake.tables import results
from moderation.intake.types import DispositionRecord, Item
from moderation.priority.lanes import Lane
from moderation.review.appeals import file_appeal, file_appeal_against_machine
from moderation.review.transaction import Transaction
from moderation.review.types import Appeal, NewTask


class NothingDecided(PermanentError):
    """An item without a route yet."""

    code = "nothing_decided"


def appeal(tx: Transaction, item: Item, grounds: str) -> Appeal:
    """File a complaint against the newest route of `item`.

    A copy that another item's review or decision serves is appealed in that item's case.

    Raises:
        NothingDecided: it has no route.
        NotAllowed: its review is under way, it is under appeal, or was decided too long ago.
    """
    found = dispositions_of(tx.connection, item.id)
    if not found:
        raise NothingDecided(
            f"item {item.id}, which has no route yet",
            expected="an item that was decided on",
            remedy="Wait for its score.",
        )
    newest = found[0]
    if newest.task_id is not None:
        return file_appeal(tx, newest.task_id, grounds)
    task = _task(tx, item, newest)
    return file_appeal_against_machine(tx, task, grounds, acted_at=newest.settled_at)


def _task(tx: Transaction, item: Item, route: DispositionRecord) -> NewTask:
    """The item as it is put before a person for the first time."""
    outcome = route.outcome
    return NewTask(
        item_id=item.id,
        sha256=item.sha256,
        clause_id=route.clause_id,
        policy_version=route.policy_id,
        modality=_modality(tx, item.sha256),
        created_at=tx.now,
        lane=int(Lane.ORDINARY if outcome["legal_lane"] is None else Lane.LEGAL),
        # Appeals are in line by their age: what the machine thought is what is complained of.
        priority=0.0,
        handling_minutes=outcome["harm"]["minutes"],
        is_harmful=outcome["legal_lane"] is not None,
    )


def _modality(tx: Transaction, sha256: str) -> Modality:
    query = results.select().where(results.c.sha256 == sha256, results.c.is_scored)
    row = tx.connection.execute(query.limit(1)).one_or_none()
    name = None if row is None else row.result["modality"]
    return UNKNOWN_MODALITY if name is None else Modality(name)
