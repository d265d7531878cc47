"""Tables of the audit trail, and the triggers that keep it append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_GENESIS_HASH = "0" * 64
_FROZEN = ("audit_records", "audit_head", "audit_texts", "audit_statements", "audit_batches")

# What must hold for a new or changed row; the same on both databases.
_RULES = {
    ("audit_records", "insert"): """
        NEW.sequence = (SELECT coalesce(max(sequence), 0) + 1 FROM audit_records)
        AND NEW.previous_hash = coalesce(
            (SELECT hash FROM audit_records WHERE sequence = NEW.sequence - 1),
            '0000000000000000000000000000000000000000000000000000000000000000')""",
    ("audit_records", "update"): "1 = 0",
    ("audit_head", "insert"): "NOT EXISTS (SELECT 1 FROM audit_head)",
    ("audit_head", "update"): """
        NEW.id = OLD.id AND (
            (NEW.sequence = OLD.sequence AND NEW.hash = OLD.hash)
            OR (NEW.sequence > OLD.sequence AND EXISTS (
                SELECT 1 FROM audit_records
                WHERE sequence = NEW.sequence AND hash = NEW.hash)))""",
    ("audit_texts", "insert"): """
        NEW.text IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM audit_texts WHERE commitment = NEW.commitment)""",
    ("audit_texts", "update"): """
        NEW.commitment = OLD.commitment AND NEW.sequence = OLD.sequence
        AND NEW.text IS NULL AND OLD.erased_sequence IS NULL""",
    ("audit_statements", "insert"): """
        NOT EXISTS (SELECT 1 FROM audit_statements
                    WHERE sequence = NEW.sequence OR puid = NEW.puid)""",
    ("audit_statements", "update"): """
        NEW.sequence = OLD.sequence AND NEW.puid = OLD.puid AND NEW.payload = OLD.payload
        AND OLD.batch IS NULL""",
    ("audit_batches", "insert"): "NEW.exported_sequence IS NULL",
    ("audit_batches", "update"): """
        NEW.number = OLD.number AND OLD.exported_sequence IS NULL""",
}


def upgrade() -> None:
    """The tables of review are there."""
    _tables()
    head = sa.table("audit_head", sa.column("id"), sa.column("sequence"), sa.column("hash"))
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": _GENESIS_HASH}])
    make = _sqlite if op.get_bind().dialect.name == "sqlite" else _postgresql
    for (table, event), rule in _RULES.items():
        make(table, event, rule)
    for table in _FROZEN:
        make(table, "delete", "1 = 0")
    if op.get_bind().dialect.name == "postgresql":
        for table in _FROZEN:
            op.execute(
                f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_delete()"
            )


def _sqlite(table: str, event: str, rule: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} WHEN NOT ({rule}) "
        f"BEGIN SELECT RAISE(ABORT, '{_told(table, event)}'); END"
    )


def _postgresql(table: str, event: str, rule: str) -> None:
    gone = "OLD" if event == "delete" else "NEW"
    op.execute(
        f"CREATE FUNCTION {table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT ({rule}) THEN RAISE EXCEPTION '{_told(table, event)}' "
        f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {gone}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_{event}()"
    )


def _told(table: str, event: str) -> str:
    return f"the audit trail is append-only: {event} of {table} refused"


def _tables() -> None:
    op.create_table(
        "audit_records",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=("pk_audit_records")),
        sa.UniqueConstraint("previous_hash", name=("uq_audit_records_previous_hash")),
        sa.UniqueConstraint("hash", name=("uq_audit_records_hash")),
    )
    for column in ("item", "actor", "kind", "at"):
        op.create_index(f"ix_audit_records_{column}", "audit_records", [column, "sequence"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=("pk_audit_head")),
    )
    op.create_table(
        "audit_texts",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("erased_sequence", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(text IS NULL) = (salt IS NULL) AND (text IS NULL) = (erased_sequence IS NOT NULL)",
            name=("ck_audit_texts_whole_or_erased"),
        ),
        sa.ForeignKeyConstraint(
            ["sequence"], ["audit_records.sequence"], name=("fk_audit_texts_sequence_audit_records")
        ),
        sa.ForeignKeyConstraint(
            ["erased_sequence"],
            ["audit_records.sequence"],
            name=("fk_audit_texts_erased_sequence_audit_records"),
        ),
        sa.PrimaryKeyConstraint("commitment", name=("pk_audit_texts")),
    )
    op.create_index(("ix_audit_texts_sequence"), "audit_texts", ["sequence"])
    op.create_index(("ix_audit_texts_item"), "audit_texts", ["item"])
    op.create_table(
        "audit_statements",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("puid", sa.String(length=500), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"],
            ["audit_records.sequence"],
            name=("fk_audit_statements_sequence_audit_records"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=("pk_audit_statements")),
        sa.UniqueConstraint("puid", name=("uq_audit_statements_puid")),
    )
    op.create_index(("ix_audit_statements_batch"), "audit_statements", ["batch"])
    op.create_table(
        "audit_batches",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("exported_sequence", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["exported_sequence"],
            ["audit_records.sequence"],
            name=("fk_audit_batches_exported_sequence_audit_records"),
        ),
        sa.PrimaryKeyConstraint("number", name=("pk_audit_batches")),
    )
