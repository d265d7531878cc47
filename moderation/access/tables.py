"""The table of API keys."""

from sqlalchemy import Column, Index, LargeBinary, String, Table

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
