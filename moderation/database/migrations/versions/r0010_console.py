"""What people prefer in the console, and the views of the queue that they saved."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, empty."""
    op.create_table(
        "access_preferences",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("appearance", sa.String(length=16), nullable=False),
        sa.Column("has_single_keys", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_access_preferences"),
    )
    op.create_table(
        "review_saved_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("desk", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=True),
        sa.Column("clause_id", sa.String(length=64), nullable=True),
        sa.Column("modality", sa.String(length=16), nullable=True),
        sa.Column("is_leased", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_saved_views"),
    )
    op.create_index(
        "uq_review_saved_views_name", "review_saved_views", ["owner", "name"], unique=True
    )
