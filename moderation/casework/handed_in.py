"""What became of the uploads of one sender, as that sender may know it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from moderation.audit.canonical import parse_exact
from moderation.audit.records import RecordKind
from moderation.audit.tables import records, statements
from moderation.casework.evidence import deciding_result
from moderation.intake import rows
from moderation.intake.listings import After, dispositions_of, find_item, list_items
from moderation.intake.submission import unknown
from moderation.intake.tables import dispositions, jobs, results
from moderation.intake.types import DispositionRecord, Item, JobKind
from moderation.review.appeals import appeals_in
from moderation.review.types import Appeal
from moderation.types import Disposition


@dataclass(frozen=True, slots=True)
class HandedIn:
    """An item with its newest route. judged: the row of the score that gave it, empty without."""

    item: Item
    route: DispositionRecord | None
    judged: Mapping[str, Any]


def handed_in(
    connection: Connection, uploader: str, *, after: After | None = None, limit: int = 50
) -> Sequence[HandedIn]:
    """A sender's items, newest first."""
    found = list_items(
        connection, uploader=uploader, after=after, limit=limit, is_newest_first=True
    )
    ids = [item.id for item in found]
    routes: dict[str, DispositionRecord] = {}
    query = select(dispositions).where(dispositions.c.item_id.in_(ids))
    for row in connection.execute(query.order_by(dispositions.c.settled_at)):
        routes[row.item_id] = rows.disposition(row)
    scored = select(jobs.c.item_id, jobs.c.mode).where(
        jobs.c.item_id.in_(ids), jobs.c.kind == JobKind.SCORE
    )
    modes = {row.item_id: row.mode for row in connection.execute(scored)}
    judged = _results(connection, {item.sha256 for item in found})
    return [
        HandedIn(item, routes.get(item.id), judged.get((item.sha256, modes.get(item.id, "")), {}))
        for item in found
    ]


def one_handed_in(connection: Connection, uploader: str, item_id: str) -> HandedIn:
    """One item of a sender.

    Raises:
        UnknownItem: there is none, or it is another sender's. The two look alike.
    """
    item = find_item(connection, item_id)
    if item.uploader != uploader:
        raise unknown(item_id)
    query = select(dispositions).where(dispositions.c.item_id == item_id)
    newest = query.order_by(dispositions.c.settled_at.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    result = deciding_result(connection, item)
    return HandedIn(
        item,
        None if row is None else rows.disposition(row),
        {} if result is None else result.result,
    )


def statement_on(connection: Connection, one: HandedIn) -> Mapping[str, Any] | None:
    """The statement of reasons of an item that is acted on: its payload, as it was issued."""
    if one.route is None or one.route.disposition is not Disposition.ENFORCE:
        return None
    payload = connection.scalar(
        select(statements.c.payload)
        .join(records, records.c.sequence == statements.c.sequence)
        .where(records.c.item == one.item.id, records.c.kind == RecordKind.STATEMENT_ISSUED)
        .order_by(statements.c.sequence.desc())
        .limit(1)
    )
    if payload is None:
        return None
    found: Mapping[str, Any] = parse_exact(payload.encode())
    return found


def appeals_on(connection: Connection, one: HandedIn) -> Sequence[Appeal]:
    """The appeals against what was decided on an item, newest first.

    Where an earlier copy's decision serves it, they are the copy's, and so are their grounds.
    """
    route = one.route
    if route is not None and route.served_by is not None and route.near_distance is None:
        served = dispositions_of(connection, route.served_by)
        route = served[0] if served else None
    if route is None or route.task_id is None:
        return ()
    return appeals_in(connection, route.task_id)


def _results(
    connection: Connection, contents: Iterable[str]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The newest result of each content in each mode."""
    query = select(results).where(results.c.sha256.in_(list(contents)))
    return {
        (row.sha256, row.mode): row.result
        for row in connection.execute(query.order_by(results.c.created_at))
    }
