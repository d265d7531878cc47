"""Earlier items with the same bytes, whose review or decision may serve a new one."""

from sqlalchemy import Connection, select

from moderation.intake import rows
from moderation.intake.tables import contents, dispositions
from moderation.intake.types import DispositionRecord
from moderation.triage.context import Precedent


def lock_contents(connection: Connection, sha256: str) -> None:
    """Make whoever settles or rules an item with the same bytes wait until this one is committed.

    Otherwise a ruling could miss a copy that is being settled by what held before it.
    """
    connection.execute(
        select(contents.c.sha256).where(contents.c.sha256 == sha256).with_for_update()
    )


def find_precedent(
    connection: Connection, sha256: str, clause_id: str, *, item_id: str
) -> DispositionRecord | None:
    """The earlier item that comes first: by a person, under the same clause, the newest.

    Only items that no other serves are asked, so that every copy hangs on the original.
    """
    query = select(dispositions).where(
        dispositions.c.sha256 == sha256,
        dispositions.c.served_by.is_(None),
        dispositions.c.item_id != item_id,
    )
    found = [rows.disposition(row) for row in connection.execute(query)]
    if not found:
        return None
    return max(
        found,
        key=lambda one: (one.clause_id == clause_id, one.is_by_person, one.settled_at, one.item_id),
    )


def precedent_of(record: DispositionRecord) -> Precedent:
    """As triage takes it."""
    return Precedent(record.item_id, record.disposition, record.clause_id, record.is_by_person)
