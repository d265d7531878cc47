"""Cases: from decisions to a ruling, and to the further reviews that it takes."""

from sqlalchemy import insert, select, update

from moderation.review import rows
from moderation.review.errors import NotAllowed
from moderation.review.resolution import Ask, Rule, Standing, resolve
from moderation.review.tables import IN_FORCE, STANDS, decisions, rulings, tasks
from moderation.review.transaction import ReviewEvent, Transaction
from moderation.review.types import Decision, Desk, Ruling, TaskKind, TaskState

# What a further review has from the task that it repeats: all that its reviewer sees.
_COPIED = (
    *("item_id", "sha256", "clause_id", "policy_version", "modality", "lane", "priority"),
    *("factors", "rerank_at", "is_harmful", "handling_minutes", "propensity", "created_at"),
    "due_at",
)
_ADJUDICATION = (TaskKind.THIRD, TaskKind.LEAD)


def ruling_in_force(tx: Transaction, case_id: str) -> Ruling | None:
    """What holds for a case now."""
    row = tx.connection.execute(
        select(rulings).where(rulings.c.case_id == case_id, IN_FORCE)
    ).one_or_none()
    return None if row is None else rows.ruling(row)


def settle(tx: Transaction, case_id: str) -> None:
    """Rule a case, or ask for the next opinion on it; its row is locked."""
    found = tx.connection.execute(
        select(decisions, tasks.c.kind, tasks.c.desk)
        .join(tasks, tasks.c.id == decisions.c.task_id)
        .where(decisions.c.case_id == case_id, STANDS, tasks.c.kind != TaskKind.APPEAL)
        .order_by(decisions.c.decided_at, decisions.c.id)
    )
    step = resolve(
        [Standing(rows.decision(row), TaskKind(row.kind), Desk(row.desk)) for row in found],
        is_sampled=tx.rules.draw("second", case_id) < tx.rules.second_rate,
        adjudication=tx.rules.adjudication,
    )
    if isinstance(step, Rule):
        rule(tx, step.decision)
    elif isinstance(step, Ask):
        ask(tx, case_id, step.kind, step.desk)


def rule(tx: Transaction, taken: Decision) -> None:
    """Let `taken` hold for its case from now on."""
    current = ruling_in_force(tx, taken.case_id)
    if current is not None and current.decision_id == taken.id:
        return
    if current is not None:
        _replace(tx, current)
    ruling_id = tx.new_id()
    tx.connection.execute(
        insert(rulings).values(
            id=ruling_id, case_id=taken.case_id, decision_id=taken.id, ruled_at=tx.now
        )
    )
    facts = {
        "ruling_id": ruling_id,
        "decision_id": taken.id,
        "verdict": taken.finding.verdict,
        "action": taken.finding.action,
        "reason_code": taken.finding.reason_code,
        "replaces": None if current is None else current.id,
    }
    tx.record(
        tx.connection, ReviewEvent("ruled", tx.now, taken.case_id, taken.task_id, None, facts)
    )


def ask(tx: Transaction, case_id: str, kind: TaskKind, desk: Desk) -> str:
    """Enqueue a further review of a case, unless one of that kind is open; its task's id."""
    open_id = tx.connection.scalar(
        select(tasks.c.id).where(
            tasks.c.case_id == case_id,
            tasks.c.kind == kind,
            tasks.c.state.in_([TaskState.WAITING, TaskState.LEASED]),
        )
    )
    if open_id is not None:
        return str(open_id)
    first = tx.connection.execute(select(tasks).where(tasks.c.id == case_id)).one()
    task_id = tx.new_id()
    tx.connection.execute(
        insert(tasks).values(
            {name: getattr(first, name) for name in _COPIED}
            | {"id": task_id, "case_id": case_id, "kind": kind, "desk": desk}
            | {"state": TaskState.WAITING, "is_sampled": False}
        )
    )
    return task_id


def unsettle(tx: Transaction, undone: Decision) -> None:
    """Take back what followed from a decision that is taken back; its case is locked.

    Raises:
        NotAllowed: somebody has adjudicated the case, or is about to.
    """
    later = tx.connection.execute(
        select(tasks.c.id, tasks.c.state)
        .where(
            tasks.c.case_id == undone.case_id,
            tasks.c.kind.in_(_ADJUDICATION),
            tasks.c.state != TaskState.WITHDRAWN,
            tasks.c.id != undone.task_id,
        )
        .with_for_update(key_share=True)
    ).all()
    if any(row.state != TaskState.WAITING for row in later):
        raise NotAllowed(
            f"decision {undone.id} has been built on",
            expected="a decision that nobody has gone on from",
            remedy="Ask a lead.",
        )
    if later:
        tx.connection.execute(
            update(tasks)
            .where(tasks.c.id.in_([row.id for row in later]))
            .values(state=TaskState.WITHDRAWN, closed_at=tx.now)
        )
    current = ruling_in_force(tx, undone.case_id)
    if current is not None:
        _replace(tx, current)
    settle(tx, undone.case_id)


def _replace(tx: Transaction, current: Ruling) -> None:
    tx.connection.execute(
        update(rulings).where(rulings.c.id == current.id).values(replaced_at=tx.now)
    )
