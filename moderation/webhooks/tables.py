"""Who is told of what, and what was sent."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from moderation.database import UtcDateTime, metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("events", JSON, nullable=False),
    # In the clear: a signature cannot be made from a hash.
    Column("secret", String(80), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
Index("ix_webhooks_created_at", webhooks.c.created_at, webhooks.c.id)

# Written out for the planner, as in review.
IS_PENDING = text("state = 'pending'")

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("webhook_id", String(32), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("last_status", Integer),
    Column("last_error", String(500)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)
Index(
    "ix_webhook_deliveries_due",
    deliveries.c.next_attempt_at,
    sqlite_where=IS_PENDING,
    postgresql_where=IS_PENDING,
)
Index(
    "ix_webhook_deliveries_log",
    deliveries.c.webhook_id,
    deliveries.c.created_at,
    deliveries.c.id,
)
