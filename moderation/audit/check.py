"""Verifies all that is kept: chain, head, and the texts and statements that it vouches for."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from moderation.audit.chain import Entry, Head
from moderation.audit.commitments import opens
from moderation.audit.records import ERASURES, RecordKind
from moderation.audit.store import BATCH_ROWS, last_sequence, read_head, stream_entries
from moderation.audit.tables import records, statements, texts
from moderation.audit.verification import ChainVerifier, FaultKind, Verification
from moderation.database import reading

Parsed = dict[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StoreVerification:
    """What was found. head: that the database has. texts_*: free texts beside the chain."""

    chain: Verification
    head: Head
    texts_kept: int
    texts_erased: int
    statements: int


def verify_store(
    engine: Engine,
    *,
    anchors: Iterable[Head] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    batch_rows: int = BATCH_ROWS,
) -> StoreVerification:
    """Walk the whole chain in batches; what is appended meanwhile is left for the next time.

    anchors: heads kept elsewhere. progress: told how many records are done, of how many.
    """
    with reading(engine) as connection:
        end = read_head(connection)
        total = last_sequence(connection)
        # A commit between the two reads shows as records past the head: then read both again.
        end = end if total <= end.sequence else read_head(connection)
    verifier = ChainVerifier(anchors)
    beside = _Beside(verifier)
    stream = stream_entries(engine, up_to=max(total, end.sequence), batch_rows=batch_rows)
    for batch in _batches(stream, batch_rows):
        parsed: Parsed = {}
        for entry in batch:
            record = verifier.take(entry)
            if record is not None:
                parsed[entry.sequence] = record
        with reading(engine) as connection:
            first, last = batch[0].sequence, batch[-1].sequence
            beside.check(connection, parsed, first, last)
        progress(verifier.records, total)
    found = verifier.finish(end)
    return StoreVerification(found, end, beside.kept, beside.erased, beside.statements)


def _batches(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Beside:
    """Checks what is kept beside a stretch of the chain against what the chain says of it."""

    def __init__(self, verifier: ChainVerifier) -> None:
        self._verifier = verifier
        self.kept = self.erased = self.statements = 0

    def check(self, connection: Connection, parsed: Parsed, first: int, last: int) -> None:
        """Everything that belongs to the records `first` to `last`."""
        self._check_texts(connection, parsed, first, last)
        self._check_statements(connection, parsed, first, last)

    def _check_texts(self, connection: Connection, parsed: Parsed, first: int, last: int) -> None:
        named = {
            (sequence, commitment)
            for sequence, record in parsed.items()
            if record.get("kind") not in ERASURES
            for commitment in _body(record).get("texts", ())
        }
        query = select(texts).where(texts.c.sequence.between(first, last))
        for row in connection.execute(query).all():
            key = (row.sequence, row.commitment)
            if key not in named:
                self._fault(FaultKind.INSERTED, row.sequence, "a text that it does not name")
                continue
            named.remove(key)
            if row.text is None:
                self._check_erasure(connection, row)
            elif opens(row.commitment, row.text, row.salt or b""):
                self.kept += 1
            else:
                self._fault(FaultKind.ALTERED, row.sequence, "a text is not the one it names")
        for sequence, commitment in sorted(named):
            detail = f"the text {str(commitment)[:16]}… is gone, and no record tells of it"
            self._fault(FaultKind.MISSING, sequence, detail)

    def _check_erasure(self, connection: Connection, row: Row[Any]) -> None:
        query = select(records.c.kind, records.c.record).where(
            records.c.sequence == row.erased_sequence
        )
        told = connection.execute(query).one_or_none()
        if told is None or told.kind not in ERASURES or f'"{row.commitment}"' not in told.record:
            detail = "a text was erased, and no record tells of it"
            self._fault(FaultKind.MISSING, row.sequence, detail)
        self.erased += 1

    def _check_statements(
        self, connection: Connection, parsed: Parsed, first: int, last: int
    ) -> None:
        issued = {
            sequence: _body(record)
            for sequence, record in parsed.items()
            if record.get("kind") == RecordKind.STATEMENT_ISSUED
        }
        query = select(statements).where(statements.c.sequence.between(first, last))
        for row in connection.execute(query).all():
            body = issued.pop(row.sequence, None)
            digest = hashlib.sha256(row.payload.encode(errors="surrogatepass")).hexdigest()
            if body is None:
                self._fault(FaultKind.INSERTED, row.sequence, "a statement that it does not issue")
            elif (body.get("puid"), body.get("sha256")) != (row.puid, digest):
                self._fault(FaultKind.ALTERED, row.sequence, "its statement is another one")
            else:
                self.statements += 1
        for sequence in sorted(issued):
            self._fault(FaultKind.MISSING, sequence, "its statement is gone")

    def _fault(self, kind: FaultKind, sequence: int, detail: str) -> None:
        self._verifier.fault(kind, sequence, detail)


def _body(record: dict[str, Any]) -> dict[str, Any]:
    body = record.get("body")
    return body if isinstance(body, dict) else {}
