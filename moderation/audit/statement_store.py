"""Statements of reasons in the database, and their export, which can be cut off anywhere.

A statement is issued in one transaction with its record. An export first gives statements a
batch number, then writes the file, then says in the chain that it was written. Cut off in
between, the next export writes the same batch again, byte for byte.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, update

from moderation.audit.canonical import canonical_json, parse_exact
from moderation.audit.chain import Head
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.statement_batches import BATCH_MAX, WrittenBatch, write_batch
from moderation.audit.statements import API_VERSION, StatementOfReasons, read_statement
from moderation.audit.store import append
from moderation.audit.tables import batches, head, statements
from moderation.database import reading, writing
from moderation.errors import StatementError


def issue(
    connection: Connection,
    statement: StatementOfReasons,
    *,
    item: str,
    actor: str,
    at: datetime,
    decision: int | None = None,
) -> Head:
    """Keep `statement`, and its record in the chain. decision: number of the decision's record.

    Raises:
        StatementError: there is one with this PUID.
    """
    known = select(statements.c.sequence).where(statements.c.puid == statement.puid)
    if connection.scalar(known) is not None:
        raise StatementError(
            f"a statement {statement.puid} was issued before",
            expected="one statement a decision",
            remedy="Undo the decision and decide anew, rather than issue it twice.",
        )
    payload = canonical_json(statement.payload())
    body = {
        "puid": _record_puid(statement),
        "sha256": hashlib.sha256(payload).hexdigest(),
        "schema": API_VERSION,
        "decision": decision,
        "category": statement.category,
        "ground": statement.decision_ground,
        "automated_decision": statement.automated_decision,
    }
    end = append(connection, [AuditRecord(RecordKind.STATEMENT_ISSUED, at, actor, item, body)])
    row = {"sequence": end.sequence, "puid": statement.puid, "payload": payload.decode()}
    connection.execute(insert(statements), row)
    return end


def _record_puid(statement: StatementOfReasons) -> str:
    # A record's words are shorter than what the database allows; ours have 32 characters.
    if len(statement.puid) > 128:
        raise StatementError(
            f"a PUID of {len(statement.puid)} characters",
            expected="at most 128",
            remedy="Build the statement with build_statement.",
        )
    return statement.puid


def export_statements(
    engine: Engine, folder: Path, *, actor: str, at: datetime
) -> Iterator[WrittenBatch]:
    """Write all that was not exported yet, a file of up to 100 at a time.

    Raises:
        OutputError: the disk does not take it; what was yielded is exported.
    """
    while (number := _next_batch(engine)) is not None:
        with reading(engine) as connection:
            query = select(statements.c.payload).where(statements.c.batch == number)
            payloads = connection.scalars(query.order_by(statements.c.sequence)).all()
        batch = [read_statement(parse_exact(payload.encode())) for payload in payloads]
        written = write_batch(batch, number, folder)
        _mark(engine, written, actor, at)
        yield written


def count_waiting(connection: Connection) -> int:
    """How many statements were not exported yet."""
    exported = select(batches.c.number).where(batches.c.exported_sequence.is_not(None))
    query = select(func.count()).select_from(statements)
    is_waiting = statements.c.batch.is_(None) | statements.c.batch.not_in(exported)
    return int(connection.scalar(query.where(is_waiting)) or 0)


def _next_batch(engine: Engine) -> int | None:
    """The number of the batch to write: one that was cut off, or a new one; None: nothing left."""
    with writing(engine) as connection:
        # The head's row stands for the whole trail: two exports do not share a number.
        connection.execute(update(head).where(head.c.id == 1).values(sequence=head.c.sequence))
        begun = select(func.min(batches.c.number)).where(batches.c.exported_sequence.is_(None))
        number = connection.scalar(begun)
        if number is not None:
            return int(number)
        query = select(statements.c.sequence).where(statements.c.batch.is_(None))
        waiting = connection.scalars(query.order_by(statements.c.sequence).limit(BATCH_MAX)).all()
        if not waiting:
            return None
        number = 1 + int(
            connection.scalar(select(func.coalesce(func.max(batches.c.number), 0))) or 0
        )
        connection.execute(insert(batches), {"number": number})
        connection.execute(
            update(statements).where(statements.c.sequence.in_(waiting)).values(batch=number)
        )
        return number


def _mark(engine: Engine, written: WrittenBatch, actor: str, at: datetime) -> None:
    body = {
        "batch": written.number,
        "statements": written.statements,
        "sha256": written.sha256,
    }
    with writing(engine) as connection:
        still = connection.scalar(
            select(batches.c.exported_sequence).where(batches.c.number == written.number)
        )
        if still is not None:  # another export was faster, and wrote the same
            return
        record = AuditRecord(RecordKind.STATEMENTS_EXPORTED, at, actor, None, body)
        sequence = append(connection, [record]).sequence
        connection.execute(
            update(batches)
            .where(batches.c.number == written.number)
            .values(exported_sequence=sequence)
        )
