"""Tells webhooks of the routes that items get, from the audit trail: whoever gave them.

A place in the trail is kept with the deliveries that were made of it, so that a crash neither
loses a route nor tells of it twice.
"""

from datetime import datetime

from sqlalchemy import Engine, select, update

from moderation.audit.records import RecordKind
from moderation.audit.store import Search, search
from moderation.database import reading, writing
from moderation.webhooks.registry import WebhookEvent, announce
from moderation.webhooks.tables import cursor

_ROWS = 200
_FACTS = ("disposition", "policy", "clause", "reason")


def announce_routes(engine: Engine, now: datetime) -> int:
    """Keep an event for every route since the last time, up to 200; how many there were.

    Raises:
        DatabaseBusy: nothing was done; try again.
    """
    place = select(cursor.c.sequence).where(cursor.c.id == 1)
    with reading(engine) as connection:
        after = connection.execute(place).scalar_one()
        if not search(connection, Search(kind=RecordKind.TRIAGED, after=after, limit=1)):
            return 0
    with writing(engine) as connection:
        # Written, not only read: another process waits here for its turn.
        after = connection.execute(
            update(cursor)
            .where(cursor.c.id == 1)
            .values(sequence=cursor.c.sequence)
            .returning(cursor.c.sequence)
        ).scalar_one()
        found = search(connection, Search(kind=RecordKind.TRIAGED, after=after, limit=_ROWS))
        for record in found:
            facts = {name: record["body"].get(name) for name in _FACTS}
            told = {"item_id": record["item"], "record": record["sequence"], **facts}
            announce(connection, WebhookEvent.ITEM_ROUTED, told, now)
        if found:
            connection.execute(update(cursor).values(sequence=found[-1]["sequence"]))
    return len(found)
