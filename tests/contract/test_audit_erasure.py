"""Erasure and export go on where they were cut off, and the chain tells only of what happened."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from moderation.audit import erasure as erasing
from moderation.audit import statement_store
from moderation.audit.check import verify_store
from moderation.audit.commitments import CommittedText
from moderation.audit.erasure import (
    MediaOutsideError,
    erase,
    erase_all,
    open_requests,
    request_erasure,
)
from moderation.audit.fields import LIST_MAX
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.retention import Erasure
from moderation.audit.statement_batches import BATCH_MAX, read_batch
from moderation.audit.statement_store import count_waiting, export_statements, issue
from moderation.audit.store import Search, append, search
from moderation.audit.tables import statements
from moderation.audit.texts import kept_texts
from moderation.audit.verification import FaultKind
from moderation.database import reading, writing
from moderation.errors import OutputError, StatementError
from tests.contract.test_audit_tampering import unguarded
from tests.unit.audit.chains import START
from tests.unit.audit.test_statements import STATEMENT

ADMIN: Any = {"actor": "admin:a1", "at": START}


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def note(number: int) -> CommittedText:
    return CommittedText(f"note {number}", number.to_bytes(32, "big"))


def decide(engine: Engine, item: str, *notes: CommittedText) -> None:
    body = {"action": "remove", "policy": "p", "texts": [one.commitment for one in notes]}
    with writing(engine) as connection:
        record = AuditRecord(RecordKind.DECIDED, START, "reviewer:r1", item, body)
        append(connection, [record], kept=notes)


def told(engine: Engine, kind: RecordKind) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        return search(connection, Search(kind=kind, limit=1000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "media"
    (made / "ab").mkdir(parents=True)
    for name in ("ab/one", "ab/two", "three"):
        (made / name).write_bytes(b"media")
    return made


def test_an_erasure_takes_files_and_texts_and_is_told_once(engine: Engine, folder: Path) -> None:
    decide(engine, "item-1", note(1), note(2))
    decide(engine, "item-2", note(3))
    due = Erasure("item-1", ("ab/one",), "retention", "decided")
    assert erase_all(engine, folder, [due], **ADMIN) == 1
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["three", "two"]
    found = verify_store(engine)
    assert found.chain.is_whole
    assert (found.texts_kept, found.texts_erased) == (1, 2)
    assert erase_all(engine, folder, [due], **ADMIN) == 0
    record = told(engine, RecordKind.MEDIA_ERASED)[0]
    assert (record["body"]["files"], record["body"]["rule"]) == (1, "decided")


def test_an_erasure_killed_between_files_and_record_is_completed(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(engine, "item-1", note(1))
    due = Erasure("item-1", ("ab/one", "three"), "retention", "decided")

    def killed(*_: object) -> None:
        raise Killed

    for step in ("_delete", "erase_texts", "append"):
        with monkeypatch.context() as patch:
            patch.setattr(erasing, step, killed)
            with pytest.raises(Killed):
                erase(engine, folder, due, **ADMIN)
        assert told(engine, RecordKind.MEDIA_ERASED) == []
        assert verify_store(engine).chain.is_whole
    assert not (folder / "three").exists()
    assert erase(engine, folder, due, **ADMIN) is not None
    assert len(told(engine, RecordKind.MEDIA_ERASED)) == 1
    assert verify_store(engine).texts_erased == 1


def test_a_request_stays_open_until_it_is_done(engine: Engine, folder: Path) -> None:
    first = request_erasure(engine, "item-1", reason="gdpr_article_17", **ADMIN)
    second = request_erasure(engine, "item-2", reason="gdpr_article_17", **ADMIN)
    assert open_requests(engine) == (("item-1", first), ("item-2", second))
    # Nothing is left of the item: the request is answered nevertheless.
    erase(engine, folder, Erasure("item-1", (), "request", request=first), **ADMIN)
    assert open_requests(engine) == (("item-2", second),)
    assert verify_store(engine).chain.is_whole


def test_more_texts_than_a_record_names_are_erased_together(engine: Engine, folder: Path) -> None:
    for start in range(0, LIST_MAX + 44, 100):
        decide(engine, "item-1", *(note(start + n) for n in range(100)))
    erase(engine, folder, Erasure("item-1", (), "retention", "decided"), **ADMIN)
    with reading(engine) as connection:
        assert kept_texts(connection, "item-1") == ()
    found = verify_store(engine)
    assert found.chain.is_whole
    assert found.texts_erased == 300


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "", "ab/../../outside", "link/x"])
def test_names_that_lead_out_are_refused(engine: Engine, folder: Path, name: str) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(b"kept")
    (folder / "link").symlink_to(folder.parent)
    with pytest.raises(MediaOutsideError):
        erase(engine, folder, Erasure("item-1", ("three", name), "retention"), **ADMIN)
    assert outside.exists()
    assert (folder / "three").exists()


def test_a_link_is_deleted_and_not_what_it_leads_to(engine: Engine, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(b"kept")
    (folder / "link").symlink_to(outside)
    erase(engine, folder, Erasure("item-1", ("link",), "retention"), **ADMIN)
    assert outside.exists()
    assert not (folder / "link").is_symlink()


def test_what_cannot_be_deleted_is_not_told_as_deleted(engine: Engine, folder: Path) -> None:
    with pytest.raises(OutputError):
        erase(engine, folder, Erasure("item-1", ("ab",), "retention"), **ADMIN)
    assert told(engine, RecordKind.MEDIA_ERASED) == []


def issue_many(engine: Engine, count: int, first: int = 0) -> None:
    with writing(engine) as connection:
        for number in range(first, first + count):
            one = replace(STATEMENT, puid=f"p{number}")
            issue(connection, one, item=f"item-{number}", actor="reviewer:r1", at=START)


def exported(folder: Path) -> list[str]:
    return [one.puid for path in sorted(folder.iterdir()) for one in read_batch(path)]


def test_statements_are_exported_once_in_batches(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    issue_many(engine, BATCH_MAX + 5)
    written = list(export_statements(engine, out, **ADMIN))
    assert [batch.statements for batch in written] == [BATCH_MAX, 5]
    assert exported(out) == [f"p{n}" for n in range(BATCH_MAX + 5)]
    assert list(export_statements(engine, out, **ADMIN)) == []
    issue_many(engine, 1, BATCH_MAX + 5)
    assert [batch.number for batch in export_statements(engine, out, **ADMIN)] == [3]
    found = verify_store(engine)
    assert found.chain.is_whole
    assert found.statements == BATCH_MAX + 6
    bodies = [row["body"] for row in told(engine, RecordKind.STATEMENTS_EXPORTED)]
    assert [body["sha256"] for body in bodies][:2] == [batch.sha256 for batch in written]


@pytest.mark.parametrize("step", ["write_batch", "_mark"])
def test_an_export_cut_off_is_completed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    out = tmp_path / "out"
    issue_many(engine, 3)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(statement_store, step, killed)
        with pytest.raises(Killed):
            list(export_statements(engine, out, **ADMIN))
    issue_many(engine, 2, 3)
    with reading(engine) as connection:
        assert count_waiting(connection) == 5
    assert [batch.statements for batch in export_statements(engine, out, **ADMIN)] == [3, 2]
    assert exported(out) == [f"p{n}" for n in range(5)]
    with reading(engine) as connection:
        assert count_waiting(connection) == 0


def test_a_puid_is_used_once(engine: Engine) -> None:
    issue_many(engine, 1)
    with pytest.raises(StatementError):
        issue_many(engine, 1)
    assert verify_store(engine).chain.records == 1


def test_tampering_with_a_statement_is_found(engine: Engine) -> None:
    issue_many(engine, 2)
    table = statements
    for kind, statement in (
        (FaultKind.ALTERED, table.update().where(table.c.sequence == 1).values(payload="{}")),
        (FaultKind.ALTERED, table.update().where(table.c.sequence == 2).values(puid="other")),
        (FaultKind.MISSING, table.delete().where(table.c.sequence == 1)),
    ):
        with unguarded(engine) as connection:
            connection.execute(statement)
        assert kind in {fault.kind for fault in verify_store(engine).chain.faults}
