"""The tables of API keys, of the sessions that they open, and of what their holders prefer."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table

from moderation.database import UtcDateTime, metadata

keys = Table(
    "access_keys",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
Index("ix_access_keys_created_at", keys.c.created_at, keys.c.id)

# digest: SHA-256 of the token that the browser keeps, hexadecimal.
sessions = Table(
    "access_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("key_id", String(12), ForeignKey(keys.c.id), nullable=False, index=True),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
)
Index("ix_access_sessions_ends_at", sessions.c.ends_at)

# person: the name on the keys.
preferences = Table(
    "access_preferences",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("appearance", String(16), nullable=False),
    Column("has_single_keys", Boolean, nullable=False),
)
