"""A kept audit trail: whatever is changed behind its back is found."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, Table, insert, select, text

from moderation.audit import tables
from moderation.audit.store import Search, append, search
from moderation.audit.verification import FaultKind
from moderation.database import reading, writing
from moderation.errors import RecordError
from tests.contract.test_audit_store import LENGTH, NOTE, OTHER, Row, decided, fill, plain, verified


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """A connection of somebody who owns the database: no trigger and no foreign key holds it."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
        return
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        triggers = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        with connection.begin():
            yield connection
        raw.execute("PRAGMA ignore_check_constraints = OFF")


AUDIT_TABLES = (tables.records, tables.head, tables.texts)


def snapshot(engine: Engine) -> dict[Table, list[Row]]:
    with reading(engine) as connection:
        return {
            table: [dict(row._mapping) for row in connection.execute(select(table)).all()]
            for table in AUDIT_TABLES
        }


def restore(connection: Connection, kept: dict[Table, list[Row]]) -> None:
    for table in reversed(AUDIT_TABLES):
        connection.execute(table.delete())
    for table, rows in kept.items():
        if rows:
            connection.execute(insert(table), rows)


def other_hex(value: str, source: random.Random) -> str:
    at = source.randrange(len(value))
    digit = source.choice([c for c in "0123456789abcdef" if c != value[at]])
    return value[:at] + digit + value[at + 1 :]


def other_text(value: str, source: random.Random) -> str:
    at = source.randrange(len(value))
    letter = source.choice([c for c in 'abz019"{ :' if c != value[at]])
    return value[:at] + letter + value[at + 1 :]


MUTATIONS: dict[str, Callable[[Row, random.Random], Row]] = {
    "record": lambda row, r: {"record": other_text(row["record"], r)},
    "kind": lambda row, r: {"kind": other_text(row["kind"], r)},
    "at": lambda row, r: {"at": other_text(row["at"], r)},
    "actor": lambda row, r: {"actor": other_text(row["actor"], r)},
    "item": lambda row, r: {"item": other_text(row["item"], r)},
    "no item": lambda row, r: {"item": None},
    "hash": lambda row, r: {"hash": other_hex(row["hash"], r)},
    "previous_hash": lambda row, r: {"previous_hash": other_hex(row["previous_hash"], r)},
    "sequence": lambda row, r: {"sequence": r.choice([-3, 0, 100, 1000]) + row["sequence"] * 1000},
    "resealed": lambda row, r: resealed(
        row | {"record": row["record"].replace('"item-', '"jtem-')}
    ),
}


def resealed(row: Row) -> Row:
    """What somebody who knows the formula writes: content, columns and hash agree."""
    digest = hashlib.sha256(
        b"real-moderation audit record v1\n"
        + bytes.fromhex(row["previous_hash"])
        + row["record"].encode()
    ).hexdigest()
    return {"record": row["record"], "hash": digest, "item": row["item"].replace("item-", "jtem-")}


def test_tampering_with_any_field_of_any_record_is_found_every_time(engine: Engine) -> None:
    fill(engine)
    whole = snapshot(engine)
    assert verified(engine).chain.is_whole
    source = random.Random(7)
    for name, mutate in MUTATIONS.items():
        for row in whole[tables.records]:
            with unguarded(engine) as connection:
                restore(connection, whole)
                connection.execute(
                    tables.records.update()
                    .where(tables.records.c.sequence == row["sequence"])
                    .values(mutate(row, source))
                )
            found = verified(engine)
            assert not found.chain.is_whole, (name, row["sequence"])
            if name not in ("sequence", "resealed"):
                altered = {f.sequence for f in found.chain.faults if f.kind is FaultKind.ALTERED}
                assert altered == {row["sequence"]}, name
    with unguarded(engine) as connection:
        restore(connection, whole)
    assert verified(engine).chain.is_whole


def test_random_tampering_is_found_every_time(engine: Engine) -> None:
    fill(engine)
    whole = snapshot(engine)
    for seed in range(60):
        source = random.Random(seed)
        row = source.choice(whole[tables.records])
        name = source.choice([*MUTATIONS, "deleted", "swapped", "copied", "head", "cut"])
        with unguarded(engine) as connection:
            restore(connection, whole)
            tamper(connection, name, row, whole, source)
        assert not verified(engine).chain.is_whole, (seed, name, row["sequence"])


def tamper(
    connection: Connection,
    name: str,
    row: Row,
    whole: dict[Table, list[Row]],
    source: random.Random,
) -> None:
    table, sequence = tables.records, tables.records.c.sequence
    if name == "deleted":
        connection.execute(table.delete().where(sequence == row["sequence"]))
    elif name == "cut":
        connection.execute(table.delete().where(sequence >= row["sequence"]))
    elif name == "copied":
        digests = {"hash": other_hex(row["hash"], source), "previous_hash": "0" * 63 + "1"}
        connection.execute(insert(table), row | digests | {"sequence": LENGTH + 1})
    elif name == "head":
        value = source.choice([{"sequence": row["sequence"] - 1}, {"hash": "0" * 64}])
        connection.execute(tables.head.update().values(value))
    elif name == "swapped":
        others = [other for other in whole[table] if other != row]
        other = source.choice(others)
        rows = [row | {"sequence": other["sequence"]}, other | {"sequence": row["sequence"]}]
        numbers = [row["sequence"], other["sequence"]]
        connection.execute(table.delete().where(sequence.in_(numbers)))
        connection.execute(insert(table), rows)
    else:
        changed = MUTATIONS[name](row, source)
        connection.execute(table.update().where(sequence == row["sequence"]).values(changed))


def test_a_cut_end_with_its_head_shows_against_a_kept_head(engine: Engine) -> None:
    end = fill(engine)
    with reading(engine) as connection:
        shorter = search(connection, Search(after=8, limit=1))[0]
    with unguarded(engine) as connection:
        connection.execute(tables.records.delete().where(tables.records.c.sequence > 9))
        connection.execute(tables.head.update().values(sequence=9, hash=shorter["hash"]))
    assert verified(engine).chain.is_whole
    faults = verified(engine, anchors=[end]).chain.faults
    assert [(fault.kind, fault.sequence) for fault in faults] == [(FaultKind.TRUNCATED, 10)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (FaultKind.ALTERED, {"text": "another"}),
        (FaultKind.ALTERED, {"salt": bytes(32)}),
        (FaultKind.MISSING, {"text": None, "salt": None, "erased_sequence": 1}),
        (FaultKind.MISSING, None),
        (FaultKind.INSERTED, {"sequence": 2}),
    ],
    ids=["text", "salt", "erased in silence", "deleted", "moved"],
)
def test_tampering_with_a_text_is_found(
    engine: Engine, kind: FaultKind, values: Row | None
) -> None:
    with writing(engine) as connection:
        append(connection, [decided([NOTE.commitment]), plain(1)], kept=[NOTE])
    with unguarded(engine) as connection:
        if values is None:
            connection.execute(tables.texts.delete())
        else:
            connection.execute(tables.texts.update().values(values))
    faults = verified(engine).chain.faults
    assert kind in {fault.kind for fault in faults}


def test_texts_and_records_must_agree(engine: Engine) -> None:
    for named, kept in (([NOTE.commitment], []), ([], [NOTE]), ([NOTE.commitment], [OTHER])):
        with pytest.raises(RecordError), writing(engine) as connection:
            append(connection, [decided(named)], kept=kept)
    assert verified(engine).chain.records == 0
