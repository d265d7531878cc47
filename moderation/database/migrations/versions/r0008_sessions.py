"""Sessions of the console."""

import sqlalchemy as sa
from alembic import op

from moderation.database.schema import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of keys is there."""
    op.create_table(
        "access_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=12), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["access_keys.id"], name="fk_access_sessions_key_id_access_keys"
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_access_sessions"),
    )
    op.create_index("ix_access_sessions_key_id", "access_sessions", ["key_id"])
    op.create_index("ix_access_sessions_ends_at", "access_sessions", ["ends_at"])
