"""Earlier items with the same bytes, or that look the same, whose decision may serve a new one."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from moderation.intake import rows
from moderation.intake.tables import contents, dispositions, lookalikes
from moderation.intake.types import DispositionRecord
from moderation.triage.context import Likeness, Precedent


@dataclass(frozen=True, slots=True)
class Earlier:
    """An item that another is a copy of, and its route.

    distance: of pictures that look the same, in bits of 256; None where the bytes are the same.
    """

    record: DispositionRecord
    distance: int | None = None

    def as_precedent(self) -> Precedent:
        """As triage takes it."""
        record = self.record
        return Precedent(
            record.item_id,
            record.disposition,
            record.clause_id,
            record.is_by_person,
            Likeness.EXACT if self.distance is None else Likeness.NEAR,
            self.distance or 0,
        )


def lock_contents(connection: Connection, sha256: str) -> None:
    """Make whoever settles or rules an item with the same bytes wait until this one is committed.

    Otherwise a ruling could miss a copy that is being settled by what held before it.
    """
    connection.execute(
        select(contents.c.sha256).where(contents.c.sha256 == sha256).with_for_update()
    )


def find_precedent(
    connection: Connection, sha256: str, clause_id: str, *, item_id: str
) -> Earlier | None:
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
    newest = max(
        found,
        key=lambda one: (one.clause_id == clause_id, one.is_by_person, one.settled_at, one.item_id),
    )
    return Earlier(newest)


def find_near_precedent(
    connection: Connection, sha256: str, clause_id: str, *, distance_max: int
) -> Earlier | None:
    """The nearest still that a person decided under the clause; None where they decided unlike.

    A video's sound is not compared, so that no decision on one is shared. The decision cannot be
    taken back before this transaction ends.
    """
    found = connection.execute(
        select(dispositions, lookalikes.c.distance)
        .join(lookalikes, lookalikes.c.other_sha256 == dispositions.c.sha256)
        .where(
            lookalikes.c.sha256 == sha256,
            lookalikes.c.distance <= distance_max,
            lookalikes.c.are_stills,
            dispositions.c.clause_id == clause_id,
            dispositions.c.is_by_person,
            dispositions.c.served_by.is_(None),
        )
        .order_by(lookalikes.c.distance, dispositions.c.settled_at.desc(), dispositions.c.item_id)
        .with_for_update(read=True, of=dispositions)
    ).all()
    if len({row.disposition for row in found}) != 1:
        return None
    return Earlier(rows.disposition(found[0]), found[0].distance)
