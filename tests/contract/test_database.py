"""What holds for a database of either kind."""

import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, MetaData, Table, inspect, select, text

from moderation.database import (
    DatabaseBusy,
    DatabaseError,
    UtcDateTime,
    metadata,
    open_engine,
    reading,
    upgrade,
    writing,
)
from moderation.database.upgrading import newest_revision, revision

# Every module that registers tables on the shared metadata.
OWNERS = (
    "moderation.review.tables",
    "moderation.audit.tables",
    "moderation.intake.tables",
    "moderation.access.tables",
    "moderation.api.tables",
    "moderation.policy.tables",
    "moderation.webhooks.tables",
)

spawn = multiprocessing.get_context("spawn")


def bring_up(url: str) -> None:
    """What a process does when it starts."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_declares(engine: Engine) -> None:
    for owner in OWNERS:
        import_module(owner)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    names = set(inspect(engine).get_table_names()) - {"alembic_version"}
    assert names == set(metadata.tables)


def test_processes_that_start_together_upgrade_once(empty_database_url: str) -> None:
    processes = [spawn.Process(target=bring_up, args=(empty_database_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    engine = open_engine(empty_database_url)
    with reading(engine) as connection:
        assert revision(connection) == newest_revision()
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_upgrading_again_keeps_what_is_there(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE kept (a INTEGER)"))
    upgrade(engine)
    assert inspect(engine).has_table("kept")


def test_a_later_schema_is_refused(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="9999"):
        upgrade(engine)


def test_an_error_leaves_nothing_behind(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE pages (a INTEGER)"))
    with pytest.raises(RuntimeError), writing(engine) as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO pages VALUES (1)"))
        raise RuntimeError
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM pages")) == 0


def test_times_come_back_in_utc_and_sort(engine: Engine) -> None:
    moments = Table("moments", MetaData(), Column("at", UtcDateTime))
    moments.create(engine)
    east = timezone(timedelta(hours=5, minutes=30))
    first = datetime(2026, 3, 1, 4, 0, 0, 1, tzinfo=east)
    second = datetime(2026, 3, 1, tzinfo=UTC)
    with writing(engine) as connection:
        connection.execute(moments.insert(), [{"at": second}, {"at": first}])
    with reading(engine) as connection:
        found = list(connection.scalars(select(moments.c.at).order_by(moments.c.at)))
    assert found == [first, second]
    assert all(moment.tzinfo is UTC for moment in found)
    with pytest.raises(Exception, match="no time zone"), writing(engine) as connection:
        connection.execute(moments.insert(), {"at": datetime(2026, 3, 1)})


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_engine(url)
    assert "sqlite:///" in caught.value.expected


def test_a_server_that_is_not_there_is_a_transient_error(tmp_path: object) -> None:
    engine = open_engine(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(DatabaseBusy), reading(engine):
        pass


def test_sqlite_checks_foreign_keys_and_lets_readers_read_beside_a_writer(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.sqlite")
    upgrade(engine)
    with writing(engine) as writer, reading(engine) as reader:
        writer.execute(text("CREATE TABLE later (a INTEGER)"))
        assert reader.scalar(text("PRAGMA foreign_keys")) == 1
        assert reader.scalar(text("PRAGMA journal_mode")) == "wal"
        assert reader.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_a_writer_inside_another_is_an_error_and_not_a_deadlock(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.sqlite")
    with writing(engine), pytest.raises(RuntimeError, match="inside another"), writing(engine):
        pass
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE later (a INTEGER)"))
    engine.dispose()
