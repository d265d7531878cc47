"""Real databases for tests: a SQLite file, and a PostgreSQL server that the session starts.

A test that asks for the fixture `engine`, `database_url` or `empty_database_url` runs once on each
kind; `postgres` is the server alone.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from moderation.database import open_engine, upgrade

_START_SECONDS = 60
# Nobody's data is at stake, so the disk need not be waited for.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "listen_addresses": "",
    "autovacuum_naptime": "5s",
}


def binary(name: str) -> str | None:
    """A program of PostgreSQL, which Debian keeps off the PATH; the newest version there is."""
    debian = Path("/usr/lib/postgresql")
    found = sorted(debian.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return shutil.which(name) or (str(found[-1]) if found else None)


class PostgresServer:
    """A server in a folder of its own, reached through a socket there and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = count()

    def url(self, database: str) -> str:
        """Of a database, for `open_engine`."""
        return f"postgresql://moderation@/{database}?host={self._folder}"

    def connect(self) -> psycopg.Connection:
        """To the maintenance database."""
        return psycopg.connect(
            host=str(self._folder), user="moderation", dbname="postgres", autocommit=True
        )

    def create_database(self, template: str = "template1") -> str:
        """The URL of a new database: empty, or a copy of another that nobody uses."""
        name = f"test_{next(self._names)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Free the disk that a database takes."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server; it and its data are gone afterwards.

    The server refuses to run as root, so there it runs as `nobody`.
    """
    # Not in pytest's folder: its parents let no other user in, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        initialise(folder)
        process = start_server(folder)
        try:
            server = PostgresServer(folder)
            wait_for_server(server, process, folder / "log")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def initialise(folder: Path) -> None:
    """Make the data of a server whose files are all in `folder`."""
    as_user = _as_user()
    if as_user:
        shutil.chown(folder, "nobody", "nogroup")
    how = "-U moderation -A trust -E UTF8 -N --locale=C".split()
    subprocess.run(
        [_program("initdb"), "-D", str(folder / "data"), *how],
        cwd="/",
        check=True,
        capture_output=True,
        **as_user,
    )


def start_server(folder: Path) -> subprocess.Popen[bytes]:
    """Start the server of `folder`; it may not answer yet."""
    options = [part for key, value in _OPTIONS.items() for part in ("-c", f"{key}={value}")]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [_program("postgres"), "-D", str(folder / "data"), "-k", str(folder), *options],
            cwd="/",
            stdout=log,
            stderr=log,
            **_as_user(),
        )


def _program(name: str) -> str:
    found = binary(name)
    if found is None:
        raise RuntimeError("PostgreSQL is not installed; run deploy/setup-system.sh")
    return found


def _as_user() -> dict[str, Any]:
    is_root = os.getuid() == 0
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if is_root else {}


def wait_for_server(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers."""
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server a session, started for the first test that needs it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema of this version, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "moderation.sqlite"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_name(postgres: PostgresServer) -> str:
    """A database of the server with the schema of this version, to be copied."""
    url = postgres.create_database()
    _migrate(url)
    return str(make_url(url).database)


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind_of_database(request: pytest.FixtureRequest) -> str:
    """The test runs once on each."""
    return str(request.param)


@pytest.fixture
def empty_database_url(
    kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database of the test's own, with nothing in it."""
    if kind_of_database == "sqlite":
        yield f"sqlite:///{tmp_path}/moderation.sqlite"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop(url)


@pytest.fixture
def database_url(
    kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database of the test's own, with the schema of this version."""
    if kind_of_database == "sqlite":
        file = tmp_path / "moderation.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated"), file)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database(request.getfixturevalue("migrated_name"))
    yield url
    server.drop(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The same, open."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
