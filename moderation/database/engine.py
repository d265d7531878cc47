"""Connections: an engine from a URL, and transactions that read or write."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from moderation.database.errors import DatabaseBusy, DatabaseError
from moderation.extras import require_installed

BUSY_SECONDS = 30.0
_WRITES = "moderation_writes"
_held = threading.local()


def open_engine(url: str, *, connections: int = 10) -> Engine:
    """A pool of connections to `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.

    The folder of a SQLite file is made. connections: kept open at most; as many again open for
    a while under load.

    Raises:
        DatabaseError: no such kind of database, or one without a file.
        ConfigurationError: the driver is not installed.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, connections)
    require_installed("psycopg")
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=connections,
        pool_pre_ping=True,
    )


def _parse(url: str) -> URL:
    expected = "sqlite:///FILE or postgresql://USER@HOST/NAME"
    remedy = "Correct the URL of the database."
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise DatabaseError(
            "a database URL of no known form", expected=expected, remedy=remedy
        ) from error
    if backend not in ("sqlite", "postgresql"):
        raise DatabaseError(f"a database of kind {backend!r}", expected=expected, remedy=remedy)
    if backend == "sqlite" and (parsed.database or ":memory:") == ":memory:":
        # Each connection would have a database of its own.
        raise DatabaseError("a SQLite database without a file", expected=expected, remedy=remedy)
    return parsed


def _open_sqlite(url: URL, connections: int) -> Engine:
    file = Path(url.database or "").expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite", database=str(file)),
        pool_size=connections,
        max_overflow=connections,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN comes late, with the first INSERT; ours comes in `_begin`.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another has written
        # in between; one that announces itself waits for its turn.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: commits at the end, and leaves nothing behind after an error.

    On SQLite writers take turns, first come, first served. On PostgreSQL they run side by side
    (read committed), and lock the rows that they must not share.

    Raises:
        DatabaseBusy: the database did not answer or was locked for too long.
    """
    writer = engine.execution_options(**{_WRITES: True})
    with _translated(), turn(engine), writer.begin() as connection:
        yield connection


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Wait to be the only one that writes to a SQLite file; on PostgreSQL, go on at once.

    SQLite's own waiting is sleeping and trying again: with many writers some never get in. The
    kernel hands a file lock on in order, and takes it back from a process that dies.
    """
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database is None:
        yield
        return
    held: set[str] = _held.__dict__.setdefault("databases", set())
    if database in held:
        raise RuntimeError(f"a transaction that writes to {database} inside another one")
    with Path(f"{database}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        held.add(database)
        try:
            yield
        finally:
            held.remove(database)
            # A child that was forked meanwhile has the file open too.
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads; on SQLite it sees one state throughout.

    Raises:
        DatabaseBusy: the database did not answer.
    """
    with _translated(), engine.connect() as connection:
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise DatabaseBusy(
            f"the database refused: {str(error.orig).strip()}",
            expected="a database that is there and not locked",
            remedy="Try again; if it lasts, look at the database server or at its disk.",
        ) from error
