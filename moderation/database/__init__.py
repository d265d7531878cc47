"""The one database of a deployment: SQLite beside the program, or PostgreSQL by URL.

Tables live beside the code that owns them and register on `metadata`; the migrations of all of
them lie here, in one line of revisions, so that one call brings any database up to date.
"""

from moderation.database.engine import open_engine, reading, writing
from moderation.database.errors import DatabaseBusy, DatabaseError
from moderation.database.schema import UtcDateTime, metadata
from moderation.database.upgrading import upgrade

__all__ = [
    "DatabaseBusy",
    "DatabaseError",
    "UtcDateTime",
    "metadata",
    "open_engine",
    "reading",
    "upgrade",
    "writing",
]
