"""Golden items: media with a known answer, mixed in among real work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)

from encoders.types import Modality
from moderation.review.errors import NotAllowed, NotFound
from moderation.review.tables import STANDS, decisions, golden_items, leases, passes, tasks
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, TaskKind, TaskState, Verdict


@dataclass(frozen=True, slots=True)
class GoldenItem:
    """An item with the verdict that is known to be right; the rest as in `NewTask`.

    added_by: who knows the answer, and so is never given it.
    """

    item_id: str
    sha256: str
    clause_id: str
    policy_version: str
    modality: Modality
    verdict: Verdict
    added_by: str
    is_harmful: bool = False

    def __post_init__(self) -> None:
        if self.verdict is Verdict.UNDETERMINED:
            raise ValueError("a golden item has a known answer")


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """A golden item as it is kept. shown: decisions on it; right: those with its verdict."""

    id: str
    item: GoldenItem
    added_at: datetime
    is_active: bool
    shown: int
    right: int


def add_golden(tx: Transaction, item: GoldenItem) -> str:
    """Keep an item for mixing in; its id.

    Raises:
        NotAllowed: it is mixed in already.
    """
    if item.item_id in active_golden(tx.connection, [item.item_id]):
        raise NotAllowed(
            f"item {item.item_id}, which is a golden one already",
            expected="an item that is none",
            remedy="Retire the golden item first, or take another.",
        )
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
            added_by=item.added_by,
            added_at=tx.now,
            is_active=True,
        )
    )
    return golden_id


def retire_golden(tx: Transaction, golden_id: str) -> GoldenRecord:
    """Mix this item in no more, such as when its answer has got about.

    Raises:
        NotFound: there is no such golden item.
    """
    tx.connection.execute(
        update(golden_items).where(golden_items.c.id == golden_id).values(is_active=False)
    )
    return find_golden(tx.connection, golden_id)


def find_golden(connection: Connection, golden_id: str) -> GoldenRecord:
    """One golden item, with how reviewers did on it.

    Raises:
        NotFound: there is no such golden item.
    """
    found = _records(connection, golden_items.c.id == golden_id)
    if not found:
        raise NotFound(
            f"no golden item {golden_id}",
            expected="the id of a golden item",
            remedy="Take it from the list of golden items.",
        )
    return found[0]


def list_golden(
    connection: Connection, *, after: tuple[datetime, str] | None, limit: int
) -> list[GoldenRecord]:
    """Oldest first. after: the time and the id of the last one that was seen."""
    if after is None:
        return _records(connection, limit=limit)
    key = tuple_(golden_items.c.added_at, golden_items.c.id)
    return _records(connection, key > after, limit=limit)


def active_golden(connection: Connection, item_ids: Sequence[str]) -> set[str]:
    """Which of these items are being mixed in."""
    found = select(golden_items.c.item_id).where(
        golden_items.c.is_active, golden_items.c.item_id.in_(item_ids)
    )
    return set(connection.scalars(found))


def _records(
    connection: Connection, *which: ColumnElement[bool], limit: int | None = None
) -> list[GoldenRecord]:
    on_it = (tasks.c.golden_id == golden_items.c.id, decisions.c.task_id == tasks.c.id, STANDS)
    shown = select(func.count()).where(*on_it).scalar_subquery()
    right = (
        select(func.count())
        .where(*on_it, decisions.c.verdict == golden_items.c.verdict)
        .scalar_subquery()
    )
    query = select(golden_items, shown.label("shown"), right.label("right")).where(*which)
    order = (golden_items.c.added_at, golden_items.c.id)
    return [_record(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _record(row: "Row[tuple[object, ...]]") -> GoldenRecord:
    item = GoldenItem(
        item_id=row.item_id,
        sha256=row.sha256,
        clause_id=row.clause_id,
        policy_version=row.policy_version,
        modality=Modality(row.modality),
        verdict=Verdict(row.verdict),
        added_by=row.added_by,
        is_harmful=row.is_harmful,
    )
    return GoldenRecord(row.id, item, row.added_at, row.is_active, row.shown, row.right)


def golden_in_place_of(
    tx: Transaction, head: "Row[tuple[object, ...]]", reviewer_id: str
) -> "Row[tuple[object, ...]] | None":
    """A new task with a golden item, if one is due for this reviewer where `head` would come.

    It has the place in the queue, the age and the factors of `head`, which passes this reviewer
    by for a while: so it comes in order, and looks like what it replaces. Nobody is given the
    same golden item twice, nor one that they added or whose bytes they have decided on before.
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
    is_known = exists().where(
        tasks.c.sha256 == golden_items.c.sha256,
        decisions.c.task_id == tasks.c.id,
        decisions.c.reviewer_id == reviewer_id,
    )
    fresh = tx.connection.execute(
        select(golden_items)
        .where(
            golden_items.c.is_active,
            golden_items.c.added_by != reviewer_id,
            golden_items.c.id.not_in(seen),
            ~is_known,
        )
        .order_by(golden_items.c.id)
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
