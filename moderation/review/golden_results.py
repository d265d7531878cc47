"""How reviewers did on golden items."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from moderation.review.tables import STANDS, decisions, golden_items, tasks


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """shown: decisions on golden items; right: those with the known verdict."""

    shown: int
    right: int


def golden_results(connection: Connection, *, since: datetime) -> Mapping[str, GoldenResult]:
    """By reviewer, of decisions from `since` on; whoever was given none is not in it."""
    found = connection.execute(
        select(
            decisions.c.reviewer_id,
            func.count(),
            func.count().filter(decisions.c.verdict == golden_items.c.verdict),
        )
        .join(tasks, tasks.c.id == decisions.c.task_id)
        .join(golden_items, golden_items.c.id == tasks.c.golden_id)
        .where(STANDS, decisions.c.decided_at >= since)
        .group_by(decisions.c.reviewer_id)
    )
    return {name: GoldenResult(shown, right) for name, shown, right in found}
