"""The tables of intake. Values in and out of them are in `moderation.intake.types`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from moderation.database import UtcDateTime, metadata

# Written out, for partial indexes: see `moderation.review.tables`.
IS_WAITING = text("state = 'waiting'")
IS_LEASED = text("state = 'leased'")
IS_OPEN = text("state IN ('waiting', 'leased')")

# One row for all items with the same bytes: its lock orders what concerns all of them.
contents = Table(
    "intake_contents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
)

items = Table(
    "intake_items",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sha256", String(64), ForeignKey(contents.c.sha256), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("surface", String(64), nullable=False),
    Column("declared_name", Text, nullable=False),
    Column("uploader", String(64)),
    Column("source", String(16), nullable=False),
    Column("reach", Float, nullable=False),
    Column("remaining_views", Float, nullable=False),
    Column("views_an_hour", Float, nullable=False),
    Column("views_at", UtcDateTime, nullable=False),
    Column("reported_clause", String(64)),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
)
Index("ix_intake_items_time", items.c.created_at, items.c.id)
Index("ix_intake_items_uploader", items.c.uploader, items.c.created_at, items.c.id)

reports = Table(
    "intake_reports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("item_id", String(32), ForeignKey(items.c.id), nullable=False, index=True),
    Column("clause_id", String(64), nullable=False),
    Column("reporter", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
)

# result: a row of `moderation.results`, JSON; its path is the SHA-256.
results = Table(
    "intake_results",
    metadata,
    Column("sha256", String(64), ForeignKey(contents.c.sha256), primary_key=True),
    Column("judge_id", String(128), primary_key=True),
    Column("mode", String(8), primary_key=True),
    Column("setup", String(64), primary_key=True),
    Column("limits", String(64), nullable=False),
    Column("is_scored", Boolean, nullable=False),
    Column("result", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# Numbers rise in the order of commits: see `moderation.casework.lookalikes`. hash: PDQ.
pictures = Table(
    "intake_pictures",
    metadata,
    Column(
        "number",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("sha256", String(64), ForeignKey(contents.c.sha256), nullable=False, index=True),
    Column("modality", String(8), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_autoincrement=True,  # or the number of a row that was erased would be given again
)

# What was found when `sha256` came; the other was there before. frames_share: of its pictures.
lookalikes = Table(
    "intake_lookalikes",
    metadata,
    Column("sha256", String(64), ForeignKey(contents.c.sha256), primary_key=True),
    Column("other_sha256", String(64), ForeignKey(contents.c.sha256), primary_key=True, index=True),
    Column("distance", Integer, nullable=False),
    Column("frames_share", Float, nullable=False),
    Column("are_stills", Boolean, nullable=False),
)

jobs = Table(
    "intake_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("item_id", String(32), ForeignKey(items.c.id), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("token", String(64)),
    Column("worker", String(64)),
    Column("error", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    # W3C trace context of the request that left the job; NULL where nobody traces.
    Column("traceparent", String(55)),
)
Index(
    "ix_intake_jobs_waiting",
    jobs.c.kind,
    jobs.c.not_before,
    jobs.c.id,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)
Index(
    "ix_intake_jobs_lease",
    jobs.c.kind,
    jobs.c.lease_until,
    sqlite_where=IS_LEASED,
    postgresql_where=IS_LEASED,
)
Index(
    "uq_intake_jobs_open",
    jobs.c.item_id,
    jobs.c.kind,
    unique=True,
    sqlite_where=IS_OPEN,
    postgresql_where=IS_OPEN,
)
Index("ix_intake_jobs_closed", jobs.c.state, jobs.c.closed_at, jobs.c.id)

# content: the policy as JSON, so that a case can be read by the rules that it was opened under.
policies = Table(
    "intake_policies",
    metadata,
    Column("policy_id", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("first_used_at", UtcDateTime, nullable=False),
)

dispositions = Table(
    "intake_dispositions",
    metadata,
    Column("item_id", String(32), ForeignKey(items.c.id), primary_key=True),
    Column("policy_id", String(64), ForeignKey(policies.c.policy_id), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("disposition", String(16), nullable=False),
    Column("action", String(16)),
    Column("clause_id", String(64), nullable=False),
    Column("probability", Float),
    Column("outcome", JSON, nullable=False),
    Column("shadow", JSON(none_as_null=True)),
    Column("task_id", String(32)),
    Column("served_by", String(32), ForeignKey(items.c.id), index=True),
    Column("near_distance", Integer),
    Column("is_by_person", Boolean, nullable=False),
    Column("decision_id", String(32)),
    Column("settled_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
Index("ix_intake_dispositions_time", dispositions.c.settled_at, dispositions.c.item_id)
