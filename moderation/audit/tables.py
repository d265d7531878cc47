"""The tables of the audit trail. What the database itself refuses is in its migration's triggers.

Records are never changed and never deleted. Texts, which records only commit to, can be erased;
statements of reasons are written once, and get the number of the batch that they are exported in.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from moderation.database import metadata

records = Table(
    "audit_records",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("at", String(27), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("item", String(128), nullable=True),
    Column("record", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_audit_records_item", "item", "sequence"),
    Index("ix_audit_records_actor", "actor", "sequence"),
    Index("ix_audit_records_kind", "kind", "sequence"),
    Index("ix_audit_records_at", "at", "sequence"),
)

head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("id = 1", name="single"),
)

texts = Table(
    "audit_texts",
    metadata,
    Column("commitment", String(64), primary_key=True),
    Column("sequence", BigInteger, ForeignKey(records.c.sequence), nullable=False, index=True),
    Column("item", String(128), nullable=True, index=True),
    Column("text", Text, nullable=True),
    Column("salt", LargeBinary, nullable=True),
    Column("erased_sequence", BigInteger, ForeignKey(records.c.sequence), nullable=True),
    CheckConstraint(
        "(text IS NULL) = (salt IS NULL) AND (text IS NULL) = (erased_sequence IS NOT NULL)",
        name="whole_or_erased",
    ),
)

statements = Table(
    "audit_statements",
    metadata,
    Column("sequence", BigInteger, ForeignKey(records.c.sequence), primary_key=True),
    Column("puid", String(500), nullable=False, unique=True),
    Column("payload", Text, nullable=False),
    Column("batch", Integer, nullable=True, index=True),
)

batches = Table(
    "audit_batches",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("exported_sequence", BigInteger, ForeignKey(records.c.sequence), nullable=True),
)
