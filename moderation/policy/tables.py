"""Which policy was in force when."""

from sqlalchemy import Column, Integer, String, Table, Text

from moderation.database import UtcDateTime, metadata

activations = Table(
    "policy_activations",
    metadata,
    # Taken by whoever activates, so that two at once do not both succeed.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("policy_id", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("activated_at", UtcDateTime, nullable=False),
)
