"""Golden items: media with a known answer, mixed in among real work."""

from dataclasses import dataclass

from sqlalchemy import Row, insert, select

from encoders.types import Modality
from moderation.review.tables import golden_items, leases, passes, tasks
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, TaskKind, TaskState, Verdict


@dataclass(frozen=True, slots=True)
class GoldenItem:
    """An item with the verdict that is known to be right; the rest as in `NewTask`."""

    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: Modality
    verdict: Verdict
    is_harmful: bool = False

    def __post_init__(self) -> None:
        if self.verdict is Verdict.UNDETERMINED:
            raise ValueError("a golden item has a known answer")


def add_golden(tx: Transaction, item: GoldenItem) -> str:
    """Keep an item for mixing in; its id."""
    golden_id = tx.new_id()
    tx.connection.execute(
        insert(golden_items).values(
            id=golden_id,
            item_id=item.item_id,
            sha256=item.sha256,
            clause_id=item.clause_id,
            policy_version=item.policy_version,
            modality=item.modality,
            verdict=item.verdict,
            is_harmful=item.is_harmful,
            is_active=True,
        )
    )
    return golden_id


def retire_golden(tx: Transaction, golden_id: str) -> None:
    """Mix this item in no more, such as when its answer has got about."""
    tx.connection.execute(
        golden_items.update().where(golden_items.c.id == golden_id).values(is_active=False)
    )


def golden_in_place_of(
    tx: Transaction, head: "Row[tuple[object, ...]]", reviewer_id: str
) -> "Row[tuple[object, ...]] | None":
    """A new task with a golden item, if one is due for this reviewer where `head` would come.

    It has the place in the queue, the age and the factors of `head`, which passes this reviewer
    by for a while: so it comes in order, and looks like what it replaces. Nobody is given the
    same golden item twice.
    """
    if head.desk != Desk.GENERAL or head.lane < tx.rules.ordinary_from_lane:
        return None
    if tx.rules.draw("golden", head.id, reviewer_id) >= tx.rules.golden_rate:
        return None
    # Passed over before: replaced once already, and not for ever.
    if tx.connection.scalar(
        select(passes.c.task_id).where(
            passes.c.task_id == head.id, passes.c.reviewer_id == reviewer_id
        )
    ):
        return None
    seen = select(leases.c.golden_id).where(
        leases.c.reviewer_id == reviewer_id, leases.c.golden_id.is_not(None)
    )
    fresh = tx.connection.execute(
        select(golden_items).where(golden_items.c.is_active, golden_items.c.id.not_in(seen))
    ).all()
    if not fresh:
        return None
    item = fresh[int(tx.rules.draw("which golden", head.id, reviewer_id) * len(fresh))]
    task_id = tx.new_id()
    return tx.connection.execute(
        insert(tasks)
        .values(
            id=task_id,
            case_id=task_id,
            kind=TaskKind.GOLDEN,
            state=TaskState.LEASED,
            desk=head.desk,
            lane=head.lane,
            priority=head.priority,
            factors=head.factors,
            handling_minutes=head.handling_minutes,
            created_at=head.created_at,
            due_at=head.due_at,
            propensity=1.0,
            is_sampled=False,
            golden_id=item.id,
            item_id=item.item_id,
            sha256=item.sha256,
            clause_id=item.clause_id,
            policy_version=item.policy_version,
            modality=item.modality,
            is_harmful=item.is_harmful,
        )
        .returning(tasks)
    ).one()
