"""The tables of review. Values in and out of them are in `moderation.review.types`.

A *case* is one item under one policy version. Its tasks (first, second, third review, appeal)
share `case_id`, the id of the first of them; each task is one person's work and has one decision.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from moderation.database import UtcDateTime, metadata

# Written out, and never a bound parameter: a planner uses a partial index only where it can
# see that the query's condition implies the index's.
IS_WAITING = text("state = 'waiting'")
IS_SAMPLED = text("is_sampled")
IS_CASE = text("review_tasks.id = review_tasks.case_id AND review_tasks.kind <> 'golden'")
IS_LIVE = text("ended_at IS NULL")
STANDS = text("undone_at IS NULL")
IN_FORCE = text("replaced_at IS NULL")

reviewers = Table(
    "review_reviewers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("is_automated", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("has_blur", Boolean, nullable=False),
    Column("has_greyscale", Boolean, nullable=False),
    Column("has_mute", Boolean, nullable=False),
    Column("work_minutes", Float, nullable=False),
    Column("break_minutes", Float, nullable=False),
    Column("harmful_daily_max", Integer, nullable=False),
    Column("work_began_at", UtcDateTime),
    Column("last_active_at", UtcDateTime),
)

golden_items = Table(
    "review_golden_items",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("item_id", String(128), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("clause_id", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("is_harmful", Boolean, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

tasks = Table(
    "review_tasks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32), ForeignKey("review_tasks.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("desk", String(16), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("priority", Float, nullable=False),
    Column("factors", JSON, nullable=False),
    Column("rerank_at", UtcDateTime),
    Column("item_id", String(128), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("clause_id", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("is_harmful", Boolean, nullable=False),
    Column("handling_minutes", Float, nullable=False),
    Column("propensity", Float, nullable=False),
    Column("is_sampled", Boolean, nullable=False),
    Column("group_id", String(128)),
    Column("golden_id", String(32), ForeignKey("review_golden_items.id")),
    Column("handover_note", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity"),
)
Index(
    "ix_review_tasks_order",
    tasks.c.desk,
    tasks.c.lane,
    tasks.c.priority.desc(),
    tasks.c.created_at,
    tasks.c.id,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)
Index(
    "ix_review_tasks_sample",
    tasks.c.desk,
    tasks.c.created_at,
    tasks.c.id,
    sqlite_where=text("state = 'waiting' AND is_sampled"),
    postgresql_where=text("state = 'waiting' AND is_sampled"),
)
for _name, _column in (
    ("rerank", tasks.c.rerank_at),
    ("age", tasks.c.created_at),
    ("group", tasks.c.group_id),
):
    Index(
        f"ix_review_tasks_{_name}",
        _column,
        sqlite_where=IS_WAITING,
        postgresql_where=IS_WAITING,
    )
# An item has one case a policy version, however often it is handed in.
Index(
    "uq_review_tasks_item",
    tasks.c.item_id,
    tasks.c.policy_version,
    unique=True,
    sqlite_where=text("id = case_id AND kind <> 'golden'"),
    postgresql_where=text("id = case_id AND kind <> 'golden'"),
)

# Kept when they end: they are the record of who looked at what, and for how long.
leases = Table(
    "review_leases",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("task_id", String(32), ForeignKey("review_tasks.id"), nullable=False),
    Column("case_id", String(32), nullable=False),
    Column("golden_id", String(32)),
    Column("reviewer_id", String(64), ForeignKey("review_reviewers.id"), nullable=False),
    Column("is_harmful", Boolean, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(16)),
)
Index("ix_review_leases_reviewer", leases.c.reviewer_id, leases.c.granted_at)
Index(
    "ix_review_leases_expiry", leases.c.expires_at, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE
)
# One person a task at a time, and one task of a case a person.
for _name, _columns in (
    ("task", (leases.c.task_id,)),
    ("case", (leases.c.reviewer_id, leases.c.case_id)),
):
    Index(
        f"uq_review_leases_{_name}",
        *_columns,
        unique=True,
        sqlite_where=IS_LIVE,
        postgresql_where=IS_LIVE,
    )
Index(
    "ix_review_leases_golden",
    leases.c.reviewer_id,
    leases.c.golden_id,
    sqlite_where=text("golden_id IS NOT NULL"),
    postgresql_where=text("golden_id IS NOT NULL"),
)

# Who is not given a task for a while.
passes = Table(
    "review_passes",
    metadata,
    Column("task_id", String(32), ForeignKey("review_tasks.id"), primary_key=True),
    Column("reviewer_id", String(64), ForeignKey("review_reviewers.id"), primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)

decisions = Table(
    "review_decisions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("task_id", String(32), ForeignKey("review_tasks.id"), nullable=False),
    Column("case_id", String(32), ForeignKey("review_tasks.id"), nullable=False, index=True),
    Column("reviewer_id", String(64), ForeignKey("review_reviewers.id"), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("reason_code", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("wants_second", Boolean, nullable=False),
    Column("bulk_id", String(32)),
    Column("undone_at", UtcDateTime),
)
# Nothing is decided twice, and nobody decides two tasks of one case.
for _name, _columns in (
    ("task", (decisions.c.task_id,)),
    ("case", (decisions.c.case_id, decisions.c.reviewer_id)),
):
    Index(
        f"uq_review_decisions_{_name}",
        *_columns,
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
Index("ix_review_decisions_time", decisions.c.decided_at, decisions.c.id)

# What a reviewer held of an item before they were shown what the judge says of it; the first
# time counts.
first_views = Table(
    "review_first_views",
    metadata,
    Column("task_id", String(32), ForeignKey("review_tasks.id"), primary_key=True),
    Column("reviewer_id", String(64), ForeignKey("review_reviewers.id"), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("formed_at", UtcDateTime, nullable=False),
)

rulings = Table(
    "review_rulings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32), ForeignKey("review_tasks.id"), nullable=False, index=True),
    Column("decision_id", String(32), ForeignKey("review_decisions.id"), nullable=False),
    Column("ruled_at", UtcDateTime, nullable=False),
    Column("replaced_at", UtcDateTime),
)
Index(
    "uq_review_rulings_in_force",
    rulings.c.case_id,
    unique=True,
    sqlite_where=IN_FORCE,
    postgresql_where=IN_FORCE,
)

appeals = Table(
    "review_appeals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32), ForeignKey("review_tasks.id"), nullable=False),
    Column("task_id", String(32), ForeignKey("review_tasks.id"), nullable=False, unique=True),
    Column("ruling_id", String(32), ForeignKey("review_rulings.id")),
    Column("decision_id", String(32), ForeignKey("review_decisions.id")),
    Column("grounds", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)
Index(
    "uq_review_appeals_open",
    appeals.c.case_id,
    unique=True,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)
Index("ix_review_appeals_time", appeals.c.filed_at, appeals.c.id)

saved_views = Table(
    "review_saved_views",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("name", String(80), nullable=False),
    Column("desk", String(16), nullable=False),
    Column("lane", Integer),
    Column("clause_id", String(64)),
    Column("modality", String(16)),
    Column("is_leased", Boolean, nullable=False),
)
Index("uq_review_saved_views_name", saved_views.c.owner, saved_views.c.name, unique=True)
