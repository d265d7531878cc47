"""How work comes in, and how its priority follows the times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from moderation.review import rows
from moderation.review.tables import IS_CASE, IS_WAITING, tasks
from moderation.review.transaction import Transaction
from moderation.review.types import Desk, NewTask, ReviewTask, TaskKind, TaskState

_ROWS = 500


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The task that an item has; is_new: it had none under this policy version."""

    task_id: str
    is_new: bool


def task_row(task: NewTask, task_id: str) -> dict[str, Any]:
    """`task` as the row of a first review that waits."""
    return asdict(task) | {
        "id": task_id,
        "case_id": task_id,
        "kind": TaskKind.FIRST,
        "state": TaskState.WAITING,
        "desk": Desk.GENERAL,
    }


def enqueue(tx: Transaction, new: Sequence[NewTask]) -> list[Enqueued]:
    """Put items in the queue, each once a policy version; in the order of `new`.

    Safe to repeat: an item that has a task keeps it, whatever became of that task.
    """
    found: list[Enqueued] = []
    for start in range(0, len(new), _ROWS):
        found += _enqueue(tx, new[start : start + _ROWS])
    return found


def _enqueue(tx: Transaction, new: Sequence[NewTask]) -> list[Enqueued]:
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    # Sorted, so that two batches with the same items never wait for each other.
    ordered = sorted(new, key=lambda task: (task.item_id, task.policy_version))
    statement = dialect.insert(tasks).on_conflict_do_nothing().returning(tasks.c.id)
    new_rows = [task_row(task, tx.new_id()) for task in ordered]
    fresh = set(tx.connection.scalars(statement, new_rows))
    key = tuple_(tasks.c.item_id, tasks.c.policy_version)
    known = tx.connection.execute(
        select(tasks.c.item_id, tasks.c.policy_version, tasks.c.id).where(
            IS_CASE,
            key.in_([(task.item_id, task.policy_version) for task in new]),
        )
    )
    ids = {(item, version): task_id for item, version, task_id in known}
    answers = []
    for task in new:
        task_id = ids[task.item_id, task.policy_version]
        answers.append(Enqueued(task_id, task_id in fresh))
        fresh.discard(task_id)
    return answers


@dataclass(frozen=True, slots=True)
class Revaluation:
    """A priority as it is now, what it was computed from, and when to compute it anew."""

    priority: float
    factors: Mapping[str, Any]
    rerank_at: datetime | None


Value = Callable[[ReviewTask, datetime], Revaluation]


def rerank(tx: Transaction, value: Value, *, limit: int = 200) -> int:
    """Compute anew the priority of waiting tasks whose time for it has come; how many there were.

    value: of a task at a time; its `rerank_at` lies after that time. Call until it returns less
    than `limit`, each time in a transaction of its own: a claim passes over the tasks that one
    transaction holds.
    """
    due = tx.connection.execute(
        select(tasks)
        .where(IS_WAITING, tasks.c.rerank_at <= tx.now)
        .order_by(tasks.c.rerank_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    changes = []
    for row in due:
        fresh = value(rows.review_task(row), tx.now)
        if fresh.rerank_at is not None and fresh.rerank_at <= tx.now:
            raise ValueError(f"task {row.id} would be due again at once, at {fresh.rerank_at}")
        changes.append({"task_id": row.id} | asdict(fresh))
    if changes:
        tx.connection.execute(
            update(tasks)
            .where(tasks.c.id == bindparam("task_id"))
            .values({name: bindparam(name) for name in ("priority", "factors", "rerank_at")}),
            changes,
        )
    return len(changes)


def revalue(tx: Transaction, item_id: str, fresh: Revaluation) -> int:
    """Store a new priority for the open tasks of an item, such as when its views have grown."""
    cases = select(tasks.c.id).where(IS_CASE, tasks.c.item_id == item_id)
    return tx.connection.execute(
        update(tasks)
        .where(
            tasks.c.case_id.in_(cases),
            tasks.c.state.in_([TaskState.WAITING, TaskState.LEASED]),
        )
        .values(asdict(fresh))
    ).rowcount


def reassess(tx: Transaction, fresh: NewTask) -> bool:
    """Give the open first review of an item the clause and the place that it has by now.

    False where there is none: it was decided, or never asked for.
    """
    names = ("clause_id", "lane", "priority", "factors", "rerank_at", "is_harmful", "is_sampled")
    values = {name: getattr(fresh, name) for name in (*names, "handling_minutes", "due_at")}
    changed = tx.connection.execute(
        update(tasks)
        .where(
            IS_CASE,
            tasks.c.item_id == fresh.item_id,
            tasks.c.policy_version == fresh.policy_version,
            tasks.c.kind == TaskKind.FIRST,
            tasks.c.state.in_([TaskState.WAITING, TaskState.LEASED]),
        )
        .values(values)
    ).rowcount
    return changed == 1
