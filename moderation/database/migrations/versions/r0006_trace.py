"""Jobs know the trace that they belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs that are there belong to none."""
    op.add_column("intake_jobs", sa.Column("traceparent", sa.String(length=55), nullable=True))
