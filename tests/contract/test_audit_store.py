"""The audit trail on both databases: one chain, append-only, and every tampering found."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError as DriverError

from moderation.audit import tables
from moderation.audit.chain import EMPTY, Head
from moderation.audit.check import StoreVerification, verify_store
from moderation.audit.commitments import CommittedText
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.store import Search, append, read_head, search, stream_entries
from moderation.audit.texts import erase_texts, kept_texts, read_text
from moderation.database import reading, writing
from tests.unit.audit.chains import START, record

LENGTH = 12
NOTE = CommittedText("The mouth does not move with the words.", bytes(range(32)))
OTHER = CommittedText("Seen before.", bytes(range(1, 33)))


def decided(commitments: list[str], item: str = "item-1") -> AuditRecord:
    body = {"action": "remove", "policy": "p-1", "texts": commitments}
    return AuditRecord(RecordKind.DECIDED, START, "reviewer:r1", item, body)


def plain(index: int) -> AuditRecord:
    """A record of the chain without texts."""
    made = record(index)
    body = {name: value for name, value in made.body.items() if name != "texts"}
    return AuditRecord(made.kind, made.at, made.actor, made.item, body)


def fill(engine: Engine, length: int = LENGTH) -> Head:
    with writing(engine) as connection:
        return append(connection, [plain(index) for index in range(length)])


def verified(engine: Engine, **options: Any) -> StoreVerification:
    return verify_store(engine, batch_rows=5, **options)


def test_a_new_chain_is_empty_and_whole(engine: Engine) -> None:
    with reading(engine) as connection:
        assert read_head(connection) == EMPTY
    assert verified(engine).chain.is_whole


def test_records_come_back_as_they_were_hashed(engine: Engine) -> None:
    end = fill(engine)
    found = verified(engine)
    assert found.chain.is_whole
    assert (found.chain.records, found.head, found.chain.head) == (LENGTH, end, end)
    with reading(engine) as connection:
        page = search(connection, Search(limit=LENGTH))
    for index, row in enumerate(page):
        row.pop("hash")
        assert row == plain(index).envelope(index + 1)


def test_what_is_not_committed_is_not_there(engine: Engine) -> None:
    end = fill(engine, 3)
    with pytest.raises(RuntimeError), writing(engine) as connection:  # noqa: PT012
        append(connection, [plain(3)])
        raise RuntimeError
    with reading(engine) as connection:
        assert read_head(connection) == end
    assert verified(engine).chain.is_whole


def test_writers_side_by_side_make_one_chain(engine: Engine) -> None:
    def write(writer: int) -> list[int]:
        ends = []
        for index in range(10):
            with writing(engine) as connection:
                new = [plain(100 * writer + 2 * index + more) for more in range(2)]
                ends.append(append(connection, new).sequence)
        return ends

    with ThreadPoolExecutor(8) as pool:
        ends = list(itertools.chain.from_iterable(pool.map(write, range(8))))
    found = verified(engine)
    assert found.chain.is_whole
    assert found.chain.records == 160
    assert sorted(ends) == list(range(2, 161, 2))


def test_pages_follow_each_other_both_ways(engine: Engine) -> None:
    fill(engine, 40)
    for newest_first in (False, True):
        seen: list[int] = []
        after = None
        while True:
            wanted = Search(after=after, limit=7, newest_first=newest_first)
            with reading(engine) as connection:
                page = search(connection, wanted)
            if not page:
                break
            seen += [row["sequence"] for row in page]
            after = seen[-1]
        assert seen == sorted(range(1, 41), reverse=newest_first)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Search(item="item-3", limit=99), lambda r: r["item"] == "item-3"),
        (Search(actor="reviewer:r2", limit=99), lambda r: r["actor"] == "reviewer:r2"),
        (Search(kind=RecordKind.SCORED, limit=99), lambda r: r["kind"] == "scored"),
        (
            Search(since=START + timedelta(seconds=5), until=START + timedelta(seconds=9)),
            lambda r: 6 <= r["sequence"] < 10,
        ),
        (Search(item="item-3", kind=RecordKind.DECIDED, limit=99), lambda r: r["sequence"] == 25),
        (Search(item="nobody's"), lambda r: False),
    ],
    ids=["item", "actor", "kind", "time", "item and kind", "none"],
)
def test_searches_find_what_fits(
    engine: Engine, wanted: Search, fits: Callable[[dict[str, Any]], bool]
) -> None:
    fill(engine, 40)
    with reading(engine) as connection:
        everything = search(connection, Search(limit=99))
        found = search(connection, wanted)
    assert found == [row for row in everything if fits(row)]


def test_a_stream_has_all_rows_whatever_the_batch(engine: Engine) -> None:
    fill(engine)
    for batch_rows in (1, 5, LENGTH, 100):
        entries = list(stream_entries(engine, batch_rows=batch_rows))
        assert [entry.sequence for entry in entries] == list(range(1, LENGTH + 1))
    assert [e.sequence for e in stream_entries(engine, up_to=3)] == [1, 2, 3]


def test_progress_is_told(engine: Engine) -> None:
    fill(engine)
    told: list[tuple[int, int]] = []
    verified(engine, progress=lambda done, total: told.append((done, total)))
    assert told == [(5, LENGTH), (10, LENGTH), (LENGTH, LENGTH)]


REFUSED = [
    "UPDATE audit_records SET actor = 'reviewer:x' WHERE sequence = 3",
    "UPDATE audit_records SET sequence = 99 WHERE sequence = 12",
    "DELETE FROM audit_records WHERE sequence = 12",
    "DELETE FROM audit_records",
    "INSERT INTO audit_records SELECT 14, kind, at, actor, item, record, '', hash || 'x' "
    "FROM audit_records WHERE sequence = 3",
    "INSERT INTO audit_records SELECT 13, kind, at, actor, item, record, previous_hash || 'x', "
    "hash || 'x' FROM audit_records WHERE sequence = 3",
    "UPDATE audit_head SET sequence = 3",
    "UPDATE audit_head SET hash = 'x'",
    "UPDATE audit_head SET sequence = 13",
    "DELETE FROM audit_head",
    "INSERT INTO audit_head VALUES (2, 0, '')",
    "UPDATE audit_texts SET text = 'another'",
    "UPDATE audit_texts SET text = NULL, salt = NULL",
    "DELETE FROM audit_texts",
]
REFUSED_SQLITE = [
    "INSERT OR REPLACE INTO audit_records SELECT sequence, kind, at, 'reviewer:x', item, record, "
    "previous_hash, hash FROM audit_records WHERE sequence = 3",
    "REPLACE INTO audit_head VALUES (1, 0, '')",
    "REPLACE INTO audit_texts SELECT commitment, sequence, item, 'another', salt, NULL "
    "FROM audit_texts",
]
REFUSED_POSTGRESQL = ["TRUNCATE audit_records CASCADE", "TRUNCATE audit_head"]


def test_the_database_itself_refuses_changes(engine: Engine) -> None:
    with writing(engine) as connection:
        append(connection, [decided([NOTE.commitment])], kept=[NOTE])
        append(connection, [plain(index) for index in range(1, LENGTH)])
    dialect = engine.dialect.name
    more = REFUSED_SQLITE if dialect == "sqlite" else REFUSED_POSTGRESQL
    for statement in REFUSED + more:
        with pytest.raises(DriverError), writing(engine) as connection:
            connection.execute(text(statement))
    assert verified(engine).chain.is_whole


Row = dict[str, Any]


def test_texts_are_kept_beside_the_chain_and_not_in_it(engine: Engine) -> None:
    with writing(engine) as connection:
        append(connection, [decided([NOTE.commitment, OTHER.commitment])], kept=[OTHER, NOTE])
    with reading(engine) as connection:
        assert read_text(connection, NOTE.commitment) == NOTE
        assert set(kept_texts(connection, "item-1")) == {NOTE.commitment, OTHER.commitment}
        kept = connection.scalar(select(tables.records.c.record))
    assert NOTE.text not in kept
    found = verified(engine)
    assert found.chain.is_whole
    assert (found.texts_kept, found.texts_erased) == (2, 0)


def test_erasing_a_text_leaves_the_chain_whole(engine: Engine) -> None:
    with writing(engine) as connection:
        append(connection, [decided([NOTE.commitment, OTHER.commitment])], kept=[OTHER, NOTE])
    with writing(engine) as connection:
        body = {"reason": "request", "texts": [NOTE.commitment]}
        erasure = AuditRecord(RecordKind.TEXT_ERASED, START, "admin:a", "item-1", body)
        erase_texts(connection, [NOTE.commitment], append(connection, [erasure]).sequence)
    found = verified(engine)
    assert found.chain.is_whole
    assert (found.texts_kept, found.texts_erased) == (1, 1)
    with reading(engine) as connection:
        assert read_text(connection, NOTE.commitment) is None
        assert kept_texts(connection, "item-1") == (OTHER.commitment,)
        row = connection.execute(
            select(tables.texts).where(tables.texts.c.commitment == NOTE.commitment)
        ).one()
    assert (row.text, row.salt) == (None, None)
