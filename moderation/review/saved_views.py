"""Filters of the waiting list that a lead has given a name, to come back to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from encoders.types import Modality
from moderation.review.errors import NotAllowed
from moderation.review.listings import TaskFilter
from moderation.review.tables import saved_views
from moderation.review.transaction import new_id
from moderation.review.types import Desk

NAME_CHARACTERS_MAX = 80
VIEWS_MAX = 40


@dataclass(frozen=True, slots=True)
class SavedView:
    """What its owner calls a desk with a filter; name: not blank, at most 80 characters."""

    id: str
    name: str
    desk: Desk
    where: TaskFilter


def save_view(
    connection: Connection, owner: str, name: str, desk: Desk, where: TaskFilter
) -> SavedView:
    """Keep a view, in place of the owner's other one of that name.

    Raises:
        NotAllowed: a blank or too long name, or one view too many.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise NotAllowed(
            f"a name of {len(name)} characters",
            expected=f"1 to {NAME_CHARACTERS_MAX}",
            remedy="Choose another name.",
        )
    connection.execute(
        delete(saved_views).where(saved_views.c.owner == owner, saved_views.c.name == name)
    )
    count = select(func.count()).where(saved_views.c.owner == owner)
    if (connection.scalar(count) or 0) >= VIEWS_MAX:
        raise NotAllowed(
            f"{VIEWS_MAX} saved views",
            expected=f"at most {VIEWS_MAX}",
            remedy="Remove one that you do not use.",
        )
    kept = SavedView(new_id(), name, desk, where)
    connection.execute(
        insert(saved_views).values(
            id=kept.id,
            owner=owner,
            name=name,
            desk=desk,
            lane=where.lane,
            clause_id=where.clause_id,
            modality=where.modality,
            is_leased=where.is_leased,
        )
    )
    return kept


def views_of(connection: Connection, owner: str) -> Sequence[SavedView]:
    """A person's views, by name."""
    query = select(saved_views).where(saved_views.c.owner == owner)
    return [
        SavedView(
            row.id,
            row.name,
            Desk(row.desk),
            TaskFilter(
                lane=row.lane,
                clause_id=row.clause_id,
                modality=None if row.modality is None else Modality(row.modality),
                is_leased=row.is_leased,
            ),
        )
        for row in connection.execute(query.order_by(saved_views.c.name))
    ]


def drop_view(connection: Connection, owner: str, view_id: str) -> None:
    """Forget a view; one that is not there, or is somebody else's, stays as it is."""
    connection.execute(
        delete(saved_views).where(saved_views.c.owner == owner, saved_views.c.id == view_id)
    )
