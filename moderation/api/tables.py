"""Answers kept for requests that come again."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from moderation.database import UtcDateTime, metadata

answers = Table(
    "api_answers",
    metadata,
    Column("key_id", String(12), primary_key=True),
    Column("idempotency_key", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index("ix_api_answers_expires_at", answers.c.expires_at)
