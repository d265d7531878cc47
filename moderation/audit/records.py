"""Records of the audit trail: who did what to which item, when.

An envelope (schema version, number, kind, time, actor, item) and a body with the fields of its
kind. Actors are pseudonymous: `system:triage`, `reviewer:7f3a`. Notes and every other free text
stay outside; the body holds only their commitments (`moderation.audit.commitments`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from moderation.audit.canonical import canonical_json
from moderation.audit.fields import (
    COMMITMENTS_FIELD,
    COUNT_FIELD,
    DECIMAL_FIELD,
    DECIMALS_FIELD,
    DIGEST_FIELD,
    FACTORS_FIELD,
    FLAG_FIELD,
    WORD,
    WORD_FIELD,
    WORDS_FIELD,
    BodySchema,
)
from moderation.errors import RecordError

SCHEMA_VERSION = 1
ACTOR = re.compile(r"(system|reviewer|lead|admin|uploader|api):[A-Za-z0-9_-]{1,64}")


class RecordKind(StrEnum):
    """What happened."""

    SCORED = "scored"
    CALIBRATED = "calibrated"
    PROVENANCE_READ = "provenance_read"
    TRIAGED = "triaged"
    ENQUEUED = "enqueued"
    DECIDED = "decided"
    UNDONE = "undone"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"
    STATEMENT_ISSUED = "statement_issued"
    STATEMENTS_EXPORTED = "statements_exported"
    POLICY_CHANGED = "policy_changed"
    CALIBRATOR_CHANGED = "calibrator_changed"
    JOB_RETRIED = "job_retried"
    GOLDEN_ADDED = "golden_added"
    GOLDEN_RETIRED = "golden_retired"
    ERASURE_REQUESTED = "erasure_requested"
    MEDIA_ERASED = "media_erased"
    TEXT_ERASED = "text_erased"
    ANCHORED = "anchored"


def _schema(required: Mapping[str, Any] | None = None, **optional: Any) -> BodySchema:
    return BodySchema(required or {}, optional)


SCHEMAS: Mapping[RecordKind, BodySchema] = {
    RecordKind.SCORED: _schema(
        {"mode": WORD_FIELD, "judge": WORD_FIELD, "score": DECIMAL_FIELD},
        sha256=DIGEST_FIELD,
        digit_probabilities=DECIMALS_FIELD,
        digit_mass=DECIMAL_FIELD,
        setup=WORD_FIELD,
        error=WORD_FIELD,
        plugins=WORDS_FIELD,
    ),
    RecordKind.CALIBRATED: _schema(
        {"probability": DECIMAL_FIELD, "calibrator": WORD_FIELD},
        score_lower=DECIMAL_FIELD,
        score_upper=DECIMAL_FIELD,
        coverage=DECIMAL_FIELD,
        group=WORD_FIELD,
    ),
    RecordKind.PROVENANCE_READ: _schema(
        {"manifest": WORD_FIELD}, digital_source_types=WORDS_FIELD, reasons=WORDS_FIELD
    ),
    RecordKind.TRIAGED: _schema(
        {"disposition": WORD_FIELD, "policy": WORD_FIELD},
        reason=WORD_FIELD,
        reasons=WORDS_FIELD,
        clause=WORD_FIELD,
        propensity=DECIMAL_FIELD,
        sample=WORD_FIELD,
        duplicate_of=WORD_FIELD,
        near_distance=COUNT_FIELD,
        shadow_policy=WORD_FIELD,
        shadow_disposition=WORD_FIELD,
        shadow_reasons=WORDS_FIELD,
    ),
    RecordKind.ENQUEUED: _schema(
        {"task": WORD_FIELD},
        lane=WORD_FIELD,
        priority=DECIMAL_FIELD,
        factors=FACTORS_FIELD,
        round=COUNT_FIELD,
        is_golden=FLAG_FIELD,
    ),
    RecordKind.DECIDED: _schema(
        {"action": WORD_FIELD, "policy": WORD_FIELD},
        task=WORD_FIELD,
        clause=WORD_FIELD,
        reasons=WORDS_FIELD,
        round=COUNT_FIELD,
        seconds=DECIMAL_FIELD,
        is_automated=FLAG_FIELD,
        texts=COMMITMENTS_FIELD,
    ),
    RecordKind.UNDONE: _schema(
        {"undoes": COUNT_FIELD}, task=WORD_FIELD, reason=WORD_FIELD, texts=COMMITMENTS_FIELD
    ),
    RecordKind.APPEALED: _schema(
        {"appeal": WORD_FIELD}, decision=COUNT_FIELD, reason=WORD_FIELD, texts=COMMITMENTS_FIELD
    ),
    RecordKind.APPEAL_DECIDED: _schema(
        {"appeal": WORD_FIELD, "outcome": WORD_FIELD},
        action=WORD_FIELD,
        texts=COMMITMENTS_FIELD,
    ),
    RecordKind.STATEMENT_ISSUED: _schema(
        {"puid": WORD_FIELD, "sha256": DIGEST_FIELD, "schema": WORD_FIELD},
        decision=COUNT_FIELD,
        category=WORD_FIELD,
        ground=WORD_FIELD,
        automated_decision=WORD_FIELD,
    ),
    RecordKind.STATEMENTS_EXPORTED: _schema(
        {"batch": COUNT_FIELD, "statements": COUNT_FIELD, "sha256": DIGEST_FIELD}
    ),
    RecordKind.POLICY_CHANGED: _schema(
        {"policy": WORD_FIELD, "sha256": DIGEST_FIELD}, previous=WORD_FIELD, shadow=WORD_FIELD
    ),
    RecordKind.CALIBRATOR_CHANGED: _schema(
        {"calibrator": WORD_FIELD}, sha256=DIGEST_FIELD, previous=WORD_FIELD
    ),
    RecordKind.JOB_RETRIED: _schema({"job": WORD_FIELD, "kind": WORD_FIELD}, error=WORD_FIELD),
    RecordKind.GOLDEN_ADDED: _schema(
        {"golden": WORD_FIELD, "verdict": WORD_FIELD, "clause": WORD_FIELD}
    ),
    RecordKind.GOLDEN_RETIRED: _schema({"golden": WORD_FIELD}),
    RecordKind.ERASURE_REQUESTED: _schema({"reason": WORD_FIELD}),
    RecordKind.MEDIA_ERASED: _schema(
        {"reason": WORD_FIELD, "files": COUNT_FIELD},
        rule=WORD_FIELD,
        request=COUNT_FIELD,
        texts=COMMITMENTS_FIELD,
    ),
    RecordKind.TEXT_ERASED: _schema(
        {"reason": WORD_FIELD, "texts": COMMITMENTS_FIELD}, rule=WORD_FIELD, request=COUNT_FIELD
    ),
    RecordKind.ANCHORED: _schema({"where": WORD_FIELD, "head": DIGEST_FIELD, "at": COUNT_FIELD}),
}

ERASURES = frozenset({RecordKind.MEDIA_ERASED, RecordKind.TEXT_ERASED})
"""Kinds that tell of the end of the texts that they name; in all others, a text begins."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One event, before it has a place in the chain.

    at: with a time zone. actor: pseudonymous. item: pseudonymous id, or None where the event is
    of no single item. body: the fields of `SCHEMAS[kind]`; floats are taken and kept as text.

    Raises:
        RecordError: it is not as its kind must be.
    """

    kind: RecordKind
    at: datetime
    actor: str
    item: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise _wrong("a time without a zone", "a UTC time")
        if not ACTOR.fullmatch(self.actor):
            raise _wrong(f"the actor {self.actor[:80]!r}", "ROLE:ID, such as reviewer:7f3a")
        if self.item is not None and not WORD.fullmatch(self.item):
            raise _wrong(f"the item {self.item[:80]!r}", "an identifier without blanks")
        body = SCHEMAS[self.kind].read(self.kind, self.body)
        object.__setattr__(self, "body", body)

    def envelope(self, sequence: int) -> dict[str, Any]:
        """The record number `sequence`, as it is hashed."""
        return {
            "schema": SCHEMA_VERSION,
            "sequence": sequence,
            "kind": str(self.kind),
            "at": time_text(self.at),
            "actor": self.actor,
            "item": self.item,
            "body": dict(self.body),
        }

    def canonical(self, sequence: int) -> bytes:
        """The bytes that are hashed."""
        return canonical_json(self.envelope(sequence))


def read_envelope(envelope: Mapping[str, Any]) -> AuditRecord:
    """The record that `AuditRecord.envelope` wrote.

    Raises:
        RecordError: another schema version, or not as its kind must be.
    """
    if envelope.get("schema") != SCHEMA_VERSION:
        raise _wrong(f"schema version {envelope.get('schema')!r}", f"version {SCHEMA_VERSION}")
    try:
        return AuditRecord(
            RecordKind(envelope["kind"]),
            read_time(envelope["at"]),
            envelope["actor"],
            envelope["item"],
            envelope["body"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _wrong(f"an envelope that is wrong at {error}", "a record of this version") from error


def time_text(at: datetime) -> str:
    """A moment as text that sorts as time does: UTC, six digits of a second, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_time(text: str) -> datetime:
    """The moment that `time_text` wrote. Raises: ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _wrong(found: str, expected: str) -> RecordError:
    return RecordError(found, expected=expected, remedy="Correct what makes the record.")
