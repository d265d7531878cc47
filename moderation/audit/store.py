"""The chain in the database: one head, and records that follow it one by one.

Every function works on a connection of the caller's, so that a decision and its record are
committed together or not at all. The head's row is locked from `append` to the end of that
transaction: append last, and commit soon.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from moderation.audit.canonical import parse_exact
from moderation.audit.chain import Entry, Head, chain_hash
from moderation.audit.commitments import CommittedText
from moderation.audit.records import ERASURES, AuditRecord, RecordKind, time_text
from moderation.audit.tables import head, records, texts
from moderation.database import reading
from moderation.errors import RecordError

BATCH_ROWS = 1000
_BEFORE_ALL = -(2**63)
_COLUMNS = ("kind", "at", "actor", "item")


def append(
    connection: Connection, new: Sequence[AuditRecord], *, kept: Iterable[CommittedText] = ()
) -> Head:
    """Put `new` at the end of the chain, in order; the head that it then has.

    kept: the texts whose commitments these records name. `connection` is one of `writing`.

    Raises:
        RecordError: a record names a text that is not given, or a text is named by none.
    """
    by_commitment = {text.commitment: text for text in kept}
    named = [one for record in new for one in _named(record)]
    if sorted(named) != sorted(by_commitment):
        raise RecordError(
            f"{len(by_commitment)} texts for records that name {len(named)}",
            expected="each text named by one of the records, and none else",
            remedy="Put the commitments of the texts into the body of the record.",
        )
    # Written, not only read: this waits for its turn on both databases, so that no two
    # transactions follow the same head.
    locked = connection.execute(
        update(head)
        .where(head.c.id == 1)
        .values(sequence=head.c.sequence)
        .returning(head.c.sequence, head.c.hash)
    ).one()
    end = Head(locked.sequence, locked.hash)
    for record in new:
        end = _insert(connection, record, end)
        for commitment in _named(record):
            text = by_commitment[commitment]
            row = {"commitment": commitment, "sequence": end.sequence, "item": record.item}
            connection.execute(insert(texts), row | {"text": text.text, "salt": text.salt})
    connection.execute(
        update(head).where(head.c.id == 1).values(sequence=end.sequence, hash=end.hash)
    )
    return end


def _insert(connection: Connection, record: AuditRecord, end: Head) -> Head:
    sequence = end.sequence + 1
    content = record.canonical(sequence)
    digest = chain_hash(end.hash, content)
    row = {
        "sequence": sequence,
        "kind": str(record.kind),
        "at": time_text(record.at),
        "actor": record.actor,
        "item": record.item,
        "record": content.decode(),
        "previous_hash": end.hash,
        "hash": digest,
    }
    connection.execute(insert(records), row)
    return Head(sequence, digest)


def _named(record: AuditRecord) -> list[str]:
    return [] if record.kind in ERASURES else list(record.body.get("texts", ()))


def read_head(connection: Connection) -> Head:
    """Where the chain ends."""
    row = connection.execute(select(head.c.sequence, head.c.hash)).one()
    return Head(row.sequence, row.hash)


def last_sequence(connection: Connection) -> int:
    """The highest number of any record, whatever the head says; 0 where there is none."""
    return int(connection.scalar(select(func.coalesce(func.max(records.c.sequence), 0))) or 0)


def stream_entries(
    engine: Engine, *, up_to: int | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[Entry]:
    """Every record in the order of numbers, a batch of rows at a time.

    up_to: the last number that is wanted; None for all there are.
    """
    after = _BEFORE_ALL
    while True:
        query = select(records).where(records.c.sequence > after).order_by(records.c.sequence)
        if up_to is not None:
            query = query.where(records.c.sequence <= up_to)
        with reading(engine) as connection:
            rows = connection.execute(query.limit(batch_rows)).all()
        for row in rows:
            yield _entry(row)
        if len(rows) < batch_rows:
            return
        after = rows[-1].sequence


def _entry(row: Row[Any]) -> Entry:
    columns = {name: getattr(row, name) for name in _COLUMNS}
    return Entry(
        row.sequence,
        row.record.encode(errors="surrogatepass"),
        row.previous_hash,
        row.hash,
        columns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which records are wanted; None: any. since, until: the first time and the one after the last.

    after: number of the last record of the page before. limit: of a page, at most 1000.
    """

    item: str | None = None
    actor: str | None = None
    kind: RecordKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    limit: int = 50
    newest_first: bool = False


def search(connection: Connection, wanted: Search) -> list[dict[str, Any]]:
    """A page of records as they are hashed, each with its own `hash`.

    Raises:
        RecordError: a record is damaged.
    """
    query = select(records.c.record, records.c.hash)
    for name in ("item", "actor", "kind"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(records.c[name] == str(value))
    if wanted.since is not None:
        query = query.where(records.c.at >= time_text(wanted.since))
    if wanted.until is not None:
        query = query.where(records.c.at < time_text(wanted.until))
    sequence = records.c.sequence
    if wanted.after is not None:
        is_beyond = sequence < wanted.after if wanted.newest_first else sequence > wanted.after
        query = query.where(is_beyond)
    query = query.order_by(sequence.desc() if wanted.newest_first else sequence)
    rows = connection.execute(query.limit(max(1, min(wanted.limit, 1000)))).all()
    return [parse_exact(row.record.encode()) | {"hash": row.hash} for row in rows]
