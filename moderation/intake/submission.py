"""Taking items in: the item and its first job are committed together, or neither is.

Every function works on a connection of the caller's, one of `moderation.database.writing`.
"""

import uuid
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from moderation.intake import rows
from moderation.intake.errors import UnknownItem
from moderation.intake.jobs import add_job
from moderation.intake.tables import contents, items, reports
from moderation.intake.types import Item, ItemState, JobKind, NewItem, Report, Views
from moderation.types import Mode


def new_id() -> str:
    """32 hexadecimal digits that tell nothing of what or when."""
    return uuid.uuid4().hex


def submit(
    connection: Connection,
    new: NewItem,
    *,
    now: datetime,
    mode: Mode = Mode.FAST,
    item_id: str | None = None,
) -> Item:
    """Take an item in, and leave word that it is to be scored.

    item_id: 32 hexadecimal digits, for callers that must know it before; None makes one.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(contents)
        .values(sha256=new.sha256, size_bytes=new.size_bytes, first_seen_at=now)
        .on_conflict_do_nothing()
    )
    row = connection.execute(
        insert(items)
        .values(
            id=item_id or new_id(),
            sha256=new.sha256,
            size_bytes=new.size_bytes,
            surface=new.surface,
            declared_name=new.declared_name,
            uploader=new.uploader,
            source=new.source,
            reach=new.views.reach,
            remaining_views=new.views.remaining,
            views_an_hour=new.views.an_hour,
            views_at=now,
            reported_clause=new.reported_clause,
            state=ItemState.WAITING,
            created_at=now,
        )
        .returning(items)
    ).one()
    taken = rows.item(row)
    add_job(connection, JobKind.SCORE, taken.id, mode, now=now)
    return taken


def update_views(connection: Connection, item_id: str, views: Views, *, now: datetime) -> Item:
    """What the platform forecasts by now.

    Raises:
        UnknownItem: there is none of this id.
    """
    row = connection.execute(
        update(items)
        .where(items.c.id == item_id)
        .values(
            reach=views.reach,
            remaining_views=views.remaining,
            views_an_hour=views.an_hour,
            views_at=now,
        )
        .returning(items)
    ).one_or_none()
    if row is None:
        raise unknown(item_id)
    return rows.item(row)


def add_report(
    connection: Connection,
    item_id: str,
    clause_id: str,
    *,
    now: datetime,
    reporter: str | None = None,
) -> Report:
    """Keep a notice about an item; the first that names a clause decides the item's clause.

    Raises:
        UnknownItem: there is none of this id.
    """
    if connection.scalar(select(items.c.id).where(items.c.id == item_id)) is None:
        raise unknown(item_id)
    row = connection.execute(
        insert(reports)
        .values(
            id=new_id(), item_id=item_id, clause_id=clause_id, reporter=reporter, created_at=now
        )
        .returning(reports)
    ).one()
    connection.execute(
        update(items)
        .where(items.c.id == item_id, items.c.reported_clause.is_(None))
        .values(reported_clause=clause_id)
    )
    return rows.report(row)


def unknown(item_id: str) -> UnknownItem:
    """The error for an id that no item has."""
    return UnknownItem(
        f"no item {item_id[:80]!r}",
        expected="the id of an item",
        remedy="Take it from the answer to the upload.",
    )
