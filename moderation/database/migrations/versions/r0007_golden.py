"""Golden items know who added them, and when."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from moderation.database.schema import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE_IT_WAS_KEPT = datetime(2000, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Those that are there were added by nobody who is known."""
    items = "review_golden_items"
    op.add_column(
        items, sa.Column("added_by", sa.String(length=64), nullable=False, server_default="")
    )
    moment = sa.literal(_BEFORE_IT_WAS_KEPT, UtcDateTime())
    op.add_column(items, sa.Column("added_at", UtcDateTime(), nullable=True))
    table = sa.table(items, sa.column("added_at", UtcDateTime()))
    op.execute(table.update().values(added_at=moment))
    with op.batch_alter_table(items) as batch:
        batch.alter_column("added_by", server_default=None)
        batch.alter_column("added_at", nullable=False)
