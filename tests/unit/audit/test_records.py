"""Records say what their kind must say, and have no room for a person's name."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from moderation.audit.canonical import parse_exact
from moderation.audit.records import (
    SCHEMAS,
    AuditRecord,
    RecordKind,
    read_envelope,
    read_time,
    time_text,
)
from moderation.errors import RecordError
from tests.unit.audit.chains import START, record


def test_every_kind_has_a_schema() -> None:
    assert set(SCHEMAS) == set(RecordKind)


@pytest.mark.parametrize("index", range(5))
def test_a_record_reads_back(index: int) -> None:
    original = record(index)
    again = read_envelope(parse_exact(original.canonical(index + 1)))
    assert again == original


def test_numbers_are_kept_as_the_shortest_text() -> None:
    scored = record(0)
    assert scored.body["score"] == "0.1"
    assert float(scored.body["score"]) == 0.1


def test_times_are_utc_and_sort_as_text() -> None:
    east = timezone(timedelta(hours=2))
    times = [START + timedelta(seconds=s, microseconds=s) for s in (0, 1, 59, 3600, 86400 * 400)]
    texts = [time_text(time.astimezone(east)) for time in times]
    assert texts == sorted(texts)
    assert [read_time(text) for text in texts] == times


@pytest.mark.parametrize(
    "body",
    [
        {"action": "remove"},
        {"action": "remove", "policy": "p", "note": "x"},
        {"action": "remove it now", "policy": "p"},
        {"action": "ann@example.org", "policy": "p"},
        {"action": "remove", "policy": "p", "seconds": float("nan")},
        {"action": "remove", "policy": "p", "round": -1},
        {"action": "remove", "policy": "p", "round": True},
        {"action": "remove", "policy": "p", "is_automated": "no"},
        {"action": "remove", "policy": "p", "texts": ["a note"]},
        {"action": "remove", "policy": "p", "reasons": "one"},
    ],
    ids=str,
)
def test_a_body_is_checked(body: dict[str, object]) -> None:
    with pytest.raises(RecordError):
        AuditRecord(RecordKind.DECIDED, START, "reviewer:a", "item", body)


def test_the_envelope_is_checked() -> None:
    body = {"reason": "request"}
    for actor in ("Ann Smith", "reviewer:ann@example.org", "nobody:a", "reviewer:"):
        with pytest.raises(RecordError):
            AuditRecord(RecordKind.ERASURE_REQUESTED, START, actor, "item", body)
    with pytest.raises(RecordError):
        AuditRecord(RecordKind.ERASURE_REQUESTED, START, "admin:a", "an item", body)
    with pytest.raises(RecordError):
        AuditRecord(RecordKind.ERASURE_REQUESTED, datetime(2026, 1, 1), "admin:a", "i", body)
    with pytest.raises(RecordError):
        read_envelope(record(0).envelope(1) | {"schema": 2})
    with pytest.raises(RecordError):
        read_envelope({"schema": 1})
    assert read_time("2026-01-01T00:00:00.000000Z").tzinfo is UTC
