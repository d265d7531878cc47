"""Tables of intake."""

import sqlalchemy as sa
from alembic import op

from moderation.database.schema import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")
_LEASED = sa.text("state = 'leased'")
_OPEN = sa.text("state IN ('waiting', 'leased')")


def upgrade() -> None:
    """The tables of review and of the audit trail are there."""
    op.create_table(
        "intake_contents",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_intake_contents"),
    )
    op.create_table(
        "intake_policies",
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("first_used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", name="pk_intake_policies"),
    )
    op.create_table(
        "intake_items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("surface", sa.String(length=64), nullable=False),
        sa.Column("declared_name", sa.Text(), nullable=False),
        sa.Column("uploader", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("reach", sa.Float(), nullable=False),
        sa.Column("remaining_views", sa.Float(), nullable=False),
        sa.Column("views_an_hour", sa.Float(), nullable=False),
        sa.Column("views_at", UtcDateTime(), nullable=False),
        sa.Column("reported_clause", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sha256"], ["intake_contents.sha256"], name="fk_intake_items_sha256_intake_contents"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_intake_items"),
    )
    op.create_index("ix_intake_items_sha256", "intake_items", ["sha256"])
    op.create_index("ix_intake_items_time", "intake_items", ["created_at", "id"])
    op.create_index("ix_intake_items_uploader", "intake_items", ["uploader", "created_at", "id"])
    op.create_table(
        "intake_results",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("judge_id", sa.String(length=128), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("setup", sa.String(length=64), nullable=False),
        sa.Column("limits", sa.String(length=64), nullable=False),
        sa.Column("is_scored", sa.Boolean(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["intake_contents.sha256"], name="fk_intake_results_sha256_intake_contents"
        ),
        sa.PrimaryKeyConstraint("sha256", "judge_id", "mode", "setup", name="pk_intake_results"),
    )
    op.create_table(
        "intake_dispositions",
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("disposition", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=True),
        sa.Column("clause_id", sa.String(length=64), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("shadow", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("task_id", sa.String(length=32), nullable=True),
        sa.Column("served_by", sa.String(length=32), nullable=True),
        sa.Column("is_by_person", sa.Boolean(), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["intake_items.id"], name="fk_intake_dispositions_item_id_intake_items"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["intake_policies.policy_id"],
            name="fk_intake_dispositions_policy_id_intake_policies",
        ),
        sa.ForeignKeyConstraint(
            ["served_by"], ["intake_items.id"], name="fk_intake_dispositions_served_by_intake_items"
        ),
        sa.PrimaryKeyConstraint("item_id", "policy_id", name="pk_intake_dispositions"),
    )
    op.create_index("ix_intake_dispositions_served_by", "intake_dispositions", ["served_by"])
    op.create_index("ix_intake_dispositions_sha256", "intake_dispositions", ["sha256"])
    op.create_index("ix_intake_dispositions_time", "intake_dispositions", ["settled_at", "item_id"])
    op.create_table(
        "intake_jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["intake_items.id"], name="fk_intake_jobs_item_id_intake_items"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_intake_jobs"),
    )
    op.create_index("ix_intake_jobs_closed", "intake_jobs", ["state", "closed_at", "id"])
    op.create_index(
        "ix_intake_jobs_lease",
        "intake_jobs",
        ["kind", "lease_until"],
        sqlite_where=_LEASED,
        postgresql_where=_LEASED,
    )
    op.create_index(
        "ix_intake_jobs_waiting",
        "intake_jobs",
        ["kind", "not_before", "id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "uq_intake_jobs_open",
        "intake_jobs",
        ["item_id", "kind"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "intake_reports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("clause_id", sa.String(length=64), nullable=False),
        sa.Column("reporter", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["intake_items.id"], name="fk_intake_reports_item_id_intake_items"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_intake_reports"),
    )
    op.create_index("ix_intake_reports_item_id", "intake_reports", ["item_id"])
