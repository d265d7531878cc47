"""What reviewers held of an item before they were shown what the judge says of it."""

import sqlalchemy as sa
from alembic import op

from moderation.database.schema import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of tasks and of reviewers are there."""
    table = "review_first_views"
    op.create_table(
        table,
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("reviewer_id", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("formed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["review_tasks.id"], name=f"fk_{table}_task_id_review_tasks"
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["review_reviewers.id"],
            name=f"fk_{table}_reviewer_id_review_reviewers",
        ),
        sa.PrimaryKeyConstraint("task_id", "reviewer_id", name=f"pk_{table}"),
    )
