"""Tables of review."""

import sqlalchemy as sa
from alembic import op

from moderation.database.schema import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """The first revision: nothing is there yet."""
    op.create_table(
        "review_golden_items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("clause_id", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("is_harmful", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_golden_items"),
    )
    op.create_table(
        "review_reviewers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("is_automated", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("has_blur", sa.Boolean(), nullable=False),
        sa.Column("has_greyscale", sa.Boolean(), nullable=False),
        sa.Column("has_mute", sa.Boolean(), nullable=False),
        sa.Column("work_minutes", sa.Float(), nullable=False),
        sa.Column("break_minutes", sa.Float(), nullable=False),
        sa.Column("harmful_daily_max", sa.Integer(), nullable=False),
        sa.Column("work_began_at", UtcDateTime(), nullable=True),
        sa.Column("last_active_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_review_reviewers"),
    )
    op.create_table(
        "review_tasks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("factors", sa.JSON(), nullable=False),
        sa.Column("rerank_at", UtcDateTime(), nullable=True),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("clause_id", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("is_harmful", sa.Boolean(), nullable=False),
        sa.Column("handling_minutes", sa.Float(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("is_sampled", sa.Boolean(), nullable=False),
        sa.Column("group_id", sa.String(length=128), nullable=True),
        sa.Column("golden_id", sa.String(length=32), nullable=True),
        sa.Column("handover_note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("propensity > 0 AND propensity <= 1", name="ck_review_tasks_propensity"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_tasks.id"], name="fk_review_tasks_case_id_review_tasks"
        ),
        sa.ForeignKeyConstraint(
            ["golden_id"],
            ["review_golden_items.id"],
            name="fk_review_tasks_golden_id_review_golden_items",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_tasks"),
    )
    op.create_index(
        "ix_review_tasks_age",
        "review_tasks",
        ["created_at"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index("ix_review_tasks_case_id", "review_tasks", ["case_id"])
    op.create_index(
        "ix_review_tasks_group",
        "review_tasks",
        ["group_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_review_tasks_order",
        "review_tasks",
        ["desk", "lane", sa.text("priority DESC"), "created_at", "id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_review_tasks_rerank",
        "review_tasks",
        ["rerank_at"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_review_tasks_sample",
        "review_tasks",
        ["desk", "created_at", "id"],
        sqlite_where=sa.text("state = 'waiting' AND is_sampled"),
        postgresql_where=sa.text("state = 'waiting' AND is_sampled"),
    )
    op.create_index(
        "uq_review_tasks_item",
        "review_tasks",
        ["item_id", "policy_version"],
        unique=True,
        sqlite_where=sa.text("id = case_id AND kind <> 'golden'"),
        postgresql_where=sa.text("id = case_id AND kind <> 'golden'"),
    )
    op.create_table(
        "review_decisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("reviewer_id", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("wants_second", sa.Boolean(), nullable=False),
        sa.Column("bulk_id", sa.String(length=32), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_tasks.id"], name="fk_review_decisions_case_id_review_tasks"
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["review_reviewers.id"],
            name="fk_review_decisions_reviewer_id_review_reviewers",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["review_tasks.id"], name="fk_review_decisions_task_id_review_tasks"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_decisions"),
    )
    op.create_index("ix_review_decisions_case_id", "review_decisions", ["case_id"])
    op.create_index("ix_review_decisions_time", "review_decisions", ["decided_at", "id"])
    op.create_index(
        "uq_review_decisions_case",
        "review_decisions",
        ["case_id", "reviewer_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index(
        "uq_review_decisions_task",
        "review_decisions",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "review_leases",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("golden_id", sa.String(length=32), nullable=True),
        sa.Column("reviewer_id", sa.String(length=64), nullable=False),
        sa.Column("is_harmful", sa.Boolean(), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["review_reviewers.id"],
            name="fk_review_leases_reviewer_id_review_reviewers",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["review_tasks.id"], name="fk_review_leases_task_id_review_tasks"
        ),
        sa.PrimaryKeyConstraint("token", name="pk_review_leases"),
    )
    op.create_index(
        "ix_review_leases_expiry",
        "review_leases",
        ["expires_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_review_leases_golden",
        "review_leases",
        ["reviewer_id", "golden_id"],
        sqlite_where=sa.text("golden_id IS NOT NULL"),
        postgresql_where=sa.text("golden_id IS NOT NULL"),
    )
    op.create_index("ix_review_leases_reviewer", "review_leases", ["reviewer_id", "granted_at"])
    op.create_index(
        "uq_review_leases_case",
        "review_leases",
        ["reviewer_id", "case_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_review_leases_task",
        "review_leases",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "review_passes",
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("reviewer_id", sa.String(length=64), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["review_reviewers.id"],
            name="fk_review_passes_reviewer_id_review_reviewers",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["review_tasks.id"], name="fk_review_passes_task_id_review_tasks"
        ),
        sa.PrimaryKeyConstraint("task_id", "reviewer_id", name="pk_review_passes"),
    )
    op.create_table(
        "review_rulings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("ruled_at", UtcDateTime(), nullable=False),
        sa.Column("replaced_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_tasks.id"], name="fk_review_rulings_case_id_review_tasks"
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["review_decisions.id"],
            name="fk_review_rulings_decision_id_review_decisions",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_rulings"),
    )
    op.create_index("ix_review_rulings_case_id", "review_rulings", ["case_id"])
    op.create_index(
        "uq_review_rulings_in_force",
        "review_rulings",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "review_appeals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("ruling_id", sa.String(length=32), nullable=True),
        sa.Column("decision_id", sa.String(length=32), nullable=True),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("filed_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_tasks.id"], name="fk_review_appeals_case_id_review_tasks"
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["review_decisions.id"],
            name="fk_review_appeals_decision_id_review_decisions",
        ),
        sa.ForeignKeyConstraint(
            ["ruling_id"], ["review_rulings.id"], name="fk_review_appeals_ruling_id_review_rulings"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["review_tasks.id"], name="fk_review_appeals_task_id_review_tasks"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_appeals"),
        sa.UniqueConstraint("task_id", name="uq_review_appeals_task_id"),
    )
    op.create_index("ix_review_appeals_time", "review_appeals", ["filed_at", "id"])
    op.create_index(
        "uq_review_appeals_open",
        "review_appeals",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
