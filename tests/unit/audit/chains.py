"""Chains of real records for the tests of the audit trail."""

from datetime import UTC, datetime, timedelta

from moderation.audit.chain import GENESIS_HASH, Entry
from moderation.audit.records import AuditRecord, RecordKind

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "ab" * 32


def record(index: int) -> AuditRecord:
    """One of the kinds in turn, about one of seven items."""
    kinds = (
        (RecordKind.SCORED, {"mode": "fast", "judge": "starter", "score": 0.1 + index}),
        (RecordKind.CALIBRATED, {"probability": 0.25, "calibrator": "beta-1"}),
        (RecordKind.TRIAGED, {"disposition": "review", "policy": "default-1"}),
        (RecordKind.ENQUEUED, {"task": f"task-{index}", "factors": {"severity": 2.5}}),
        (RecordKind.DECIDED, {"action": "remove", "policy": "default-1", "texts": [DIGEST]}),
    )
    kind, body = kinds[index % len(kinds)]
    at = START + timedelta(seconds=index)
    return AuditRecord(kind, at, f"reviewer:r{index % 3}", f"item-{index % 7}", body)


def sealed(records: list[AuditRecord]) -> list[Entry]:
    """The chain of `records`, with the columns that a store keeps beside them."""
    entries: list[Entry] = []
    previous = GENESIS_HASH
    for sequence, one in enumerate(records, 1):
        entry = Entry.sealed(sequence, one.canonical(sequence), previous)
        envelope = one.envelope(sequence)
        columns = {name: envelope[name] for name in ("kind", "at", "actor", "item")}
        entries.append(Entry(sequence, entry.record, previous, entry.hash, columns))
        previous = entry.hash
    return entries


def chain(length: int) -> list[Entry]:
    """A whole chain."""
    return sealed([record(index) for index in range(length)])
