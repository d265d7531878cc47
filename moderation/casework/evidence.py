"""What led to an item's score, as it is kept: for whoever reviews it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from moderation.casework.lookalikes import lookalikes_of
from moderation.intake.listings import dispositions_of
from moderation.intake.tables import items, jobs, results
from moderation.intake.types import Item, JobKind
from moderation.types import Disposition, Mode

ResultRow = Row[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LookalikeRoute:
    """An item that looks the same, and what became of it. distance: in bits of 256.

    frames_share: of the later one's pictures that are in the other.
    """

    item_id: str
    distance: int
    frames_share: float
    disposition: Disposition | None
    is_by_person: bool


def deciding_result(connection: Connection, item: Item) -> ResultRow | None:
    """In the mode that gave the route: an explanation comes later, and gives none."""
    mode = connection.scalar(
        select(jobs.c.mode).where(jobs.c.item_id == item.id, jobs.c.kind == JobKind.SCORE).limit(1)
    )
    return None if mode is None else newest_result(connection, item.sha256, Mode(mode))


def newest_result(connection: Connection, sha256: str, mode: Mode) -> ResultRow | None:
    """The last score of these bytes in a mode: a row of `intake.tables.results`."""
    query = select(results).where(results.c.sha256 == sha256, results.c.mode == mode)
    return connection.execute(query.order_by(results.c.created_at.desc()).limit(1)).one_or_none()


def near_duplicates(connection: Connection, sha256: str) -> Iterator[LookalikeRoute]:
    """The oldest item of each file that looks the same, with its newest route."""
    for one in lookalikes_of(connection, sha256):
        oldest = select(items.c.id).where(items.c.sha256 == one.sha256, items.c.erased_at.is_(None))
        item_id = connection.scalar(oldest.order_by(items.c.created_at, items.c.id).limit(1))
        if item_id is None:
            continue
        found = dispositions_of(connection, item_id)
        yield LookalikeRoute(
            item_id=item_id,
            distance=one.distance,
            frames_share=one.frames_share,
            disposition=found[0].disposition if found else None,
            is_by_person=bool(found) and found[0].is_by_person,
        )
