"""Brings a database to the schema of this version of the program."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from moderation.database.engine import turn, writing
from moderation.database.errors import DatabaseError

# Any number that no other program on the same server is likely to use.
_LOCK_KEY = 0x5245414C


def upgrade(engine: Engine) -> None:
    """Apply the migrations that `engine`'s database has not had yet, all or none of them.

    Processes that start together take turns, and all but the first find nothing to do.

    Raises:
        DatabaseError: the database was made by a later version of the program.
        DatabaseBusy: the database does not answer.
    """
    config = _config()
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(engine)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseError(
                f"the database has a schema that this version does not know ({error})",
                expected="a database of this version or an earlier one",
                remedy="Install the version that made the database, or a later one.",
            ) from error


def _use_write_ahead_log(engine: Engine) -> None:
    """Readers then never wait for a writer; the choice stays with the file."""
    # SQLite does not wait for its turn at this change, as it does at a lock.
    with turn(engine):
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()


def revision(connection: Connection) -> str | None:
    """The migration that a database is at; None where it has had none."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The migration that this version of the program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    # By package, so that it works from a wheel and in folders with a percent sign.
    config.set_main_option("script_location", "moderation.database:migrations")
    config.set_main_option("path_separator", "os")
    return config
