"""Complaints of whoever is concerned, by item: against a ruling, or against the machine."""

from sqlalchemy import update

from moderation.casework.precedents import lock_contents
from moderation.casework.tasks import UNKNOWN_MODALITY
from moderation.intake.listings import dispositions_of, find_item
from moderation.intake.results import modality_of
from moderation.intake.tables import dispositions
from moderation.priority.lanes import Lane
from moderation.review.appeals import file_appeal, file_appeal_against_machine
from moderation.review.errors import NotAllowed
from moderation.review.transaction import Transaction
from moderation.review.types import Appeal, NewTask
from moderation.types import Disposition


def appeal(tx: Transaction, item_id: str, grounds: str) -> Appeal:
    """Have a person who has not decided the item yet look at it; `tx` is of `CaseReview.at`.

    The decision on an item holds for its copies, and so does that on the appeal. Of a
    near-duplicate, the picture itself is looked at: nobody has seen it yet.

    Raises:
        UnknownItem: there is no such item.
        NotAllowed: nothing was decided yet, an appeal is open, or the time for it is over.
        DatabaseBusy: try again.
    """
    sha256 = find_item(tx.connection, item_id).sha256
    found = dispositions_of(tx.connection, item_id)
    if found and found[0].served_by is not None and found[0].near_distance is None:
        found = dispositions_of(tx.connection, found[0].served_by)
    if not found or (found[0].disposition is Disposition.REVIEW and not found[0].is_by_person):
        raise NotAllowed(
            f"item {item_id} is not decided",
            expected="a decision to appeal against",
            remedy="Wait for the decision.",
        )
    record = found[0]
    if record.task_id is not None:
        return file_appeal(tx, record.task_id, grounds)
    lock_contents(tx.connection, sha256)
    original = find_item(tx.connection, record.item_id)
    task = NewTask(
        item_id=original.id,
        sha256=sha256,
        clause_id=record.clause_id,
        policy_version=record.policy_id,
        modality=modality_of(tx.connection, sha256) or UNKNOWN_MODALITY,
        created_at=tx.now,
        lane=int(Lane.ORDINARY),
        # Appeals have a desk of their own, where the oldest comes first.
        priority=0.0,
        handling_minutes=record.outcome["harm"]["minutes"],
    )
    filed = file_appeal_against_machine(tx, task, grounds, acted_at=record.changed_at)
    tx.connection.execute(
        update(dispositions)
        .where(
            dispositions.c.item_id == record.item_id,
            dispositions.c.policy_id == record.policy_id,
        )
        .values(task_id=filed.task_id)
    )
    return filed
