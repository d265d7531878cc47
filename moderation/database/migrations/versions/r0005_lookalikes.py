"""Perceptual hashes of pictures, and which contents look alike."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of intake are there."""
    op.create_table(
        "intake_pictures",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["intake_contents.sha256"], name="fk_intake_pictures_sha256_intake_contents"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_intake_pictures"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_intake_pictures_sha256", "intake_pictures", ["sha256"])
    op.create_table(
        "intake_lookalikes",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("other_sha256", sa.String(length=64), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("frames_share", sa.Float(), nullable=False),
        sa.Column("are_stills", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["intake_contents.sha256"],
            name="fk_intake_lookalikes_sha256_intake_contents",
        ),
        sa.ForeignKeyConstraint(
            ["other_sha256"],
            ["intake_contents.sha256"],
            name="fk_intake_lookalikes_other_sha256_intake_contents",
        ),
        sa.PrimaryKeyConstraint("sha256", "other_sha256", name="pk_intake_lookalikes"),
    )
    op.create_index("ix_intake_lookalikes_other_sha256", "intake_lookalikes", ["other_sha256"])
    op.add_column("intake_dispositions", sa.Column("near_distance", sa.Integer(), nullable=True))
