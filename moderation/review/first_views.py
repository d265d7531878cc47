"""First views: what a reviewer holds of an item before they are shown what the judge says."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from moderation.review.leases import held
from moderation.review.tables import first_views
from moderation.review.transaction import Transaction
from moderation.review.types import Verdict


def form_view(tx: Transaction, token: str, verdict: Verdict) -> None:
    """Keep what the holder of a lease makes of its task; the first one stays.

    Raises:
        NotFound, AlreadyDecided, LeaseExpired: see `leases.held`.
    """
    lease, _ = held(tx, token)
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    tx.connection.execute(
        dialect.insert(first_views)
        .values(
            task_id=lease.task_id,
            reviewer_id=lease.reviewer_id,
            verdict=verdict,
            formed_at=tx.now,
        )
        .on_conflict_do_nothing()
    )


def first_view(connection: Connection, task_id: str, reviewer_id: str) -> Verdict | None:
    """What a reviewer made of a task at first; None: nothing yet."""
    found = connection.scalar(
        select(first_views.c.verdict).where(
            first_views.c.task_id == task_id, first_views.c.reviewer_id == reviewer_id
        )
    )
    return None if found is None else Verdict(found)
