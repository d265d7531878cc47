"""What people decided on the same bytes before: for whoever looks at them again."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from moderation.intake.tables import items
from moderation.review import rows
from moderation.review.tables import IN_FORCE, IS_CASE, STANDS, decisions, rulings, tasks
from moderation.review.types import Decision, TaskKind, TaskRecord


@dataclass(frozen=True, slots=True)
class EarlierDecision:
    """A decision that stands, with what it was taken under. holds: it is the ruling of its case."""

    decision: Decision
    clause_id: str
    policy_version: str
    holds: bool


def earlier_decisions(
    connection: Connection, record: TaskRecord, *, limit: int = 10
) -> Sequence[EarlierDecision]:
    """On the same bytes, the newest first, as far as the reviewer of `record` may know.

    A further opinion is formed without knowledge of the others on its case; only an appeal is
    about them. Of a golden item nothing is told: what was decided is the answer.
    """
    if record.kind is TaskKind.GOLDEN:
        return ()
    copies = select(items.c.id).where(items.c.sha256 == record.task.sha256)
    query = (
        select(decisions, tasks.c.clause_id, tasks.c.policy_version, rulings.c.id.label("ruling"))
        .join(tasks, tasks.c.id == decisions.c.case_id)
        .outerjoin(rulings, (rulings.c.decision_id == decisions.c.id) & IN_FORCE)
        .where(tasks.c.item_id.in_(copies), IS_CASE, STANDS)
    )
    if record.kind is not TaskKind.APPEAL:
        query = query.where(tasks.c.id != record.case_id)
    newest = query.order_by(decisions.c.decided_at.desc(), decisions.c.id).limit(limit)
    return [
        EarlierDecision(
            rows.decision(row), row.clause_id, row.policy_version, row.ruling is not None
        )
        for row in connection.execute(newest)
    ]
