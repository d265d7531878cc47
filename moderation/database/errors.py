"""Errors of the database itself, whatever is kept in it."""

from moderation.errors import ConfigurationError, TransientError


class DatabaseError(ConfigurationError):
    """A database that cannot be used as it is: its URL, its driver or its schema."""

    code = "database"


class DatabaseBusy(TransientError):
    """The database did not answer, broke off, or was locked for too long; nothing was written."""

    code = "database_busy"
