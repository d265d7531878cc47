"""Statements are those that the DSA Transparency Database takes, and hold no personal data."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from moderation import dsa_values as values
from moderation.audit.personal_data import require_impersonal
from moderation.audit.statement_batches import (
    BATCH_MAX,
    batch_bytes,
    batches,
    read_batch,
    write_batch,
)
from moderation.audit.statement_building import (
    RESTRICTIONS,
    Ruling,
    StatementClause,
    build_statement,
)
from moderation.audit.statements import FACTS_MAX, StatementOfReasons, read_statement
from moderation.errors import OutputError, PersonalDataError, StatementError

CLAUSE = StatementClause(
    ground=values.INCOMPATIBLE,
    reference="Terms of service, section 4.2 (synthetic media)",
    explanation="The terms forbid media that shows events which did not happen as real ones.",
    category="STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    keywords=("KEYWORD_MISINFORMATION_DISINFORMATION",),
    reference_url="https://example.org/terms",
    also_illegal=False,
)
RULING = Ruling(
    decision_id="d1",
    action="remove",
    facts="A film of 12 s. From 3.2 s to 5.0 s the face is displaced against its surroundings.",
    modality="video",
    is_synthetic=True,
    posted_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    applies_from=datetime(2026, 3, 2, tzinfo=UTC),
    detected_automatically=True,
    decided_by_machine=False,
    decided_by_person=True,
    language="EN",
)
STATEMENT = build_statement(RULING, CLAUSE, namespace="desk")


def test_the_payload_is_the_one_of_the_documentation() -> None:
    assert STATEMENT.payload() == {
        "puid": STATEMENT.puid,
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "decision_ground_reference_url": "https://example.org/terms",
        "incompatible_content_ground": CLAUSE.reference,
        "incompatible_content_explanation": CLAUSE.explanation,
        "incompatible_content_illegal": "No",
        "content_type": ["CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_VIDEO"],
        "category": CLAUSE.category,
        "category_specification": ["KEYWORD_MISINFORMATION_DISINFORMATION"],
        "territorial_scope": sorted(values.EU),
        "content_language": "EN",
        "content_date": "2026-03-01",
        "application_date": "2026-03-02",
        "decision_facts": RULING.facts,
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
    }


def test_a_payload_reads_back() -> None:
    payload = json.loads(json.dumps(STATEMENT.payload()))
    assert read_statement(payload).payload() == STATEMENT.payload()


def test_the_published_lists_are_whole() -> None:
    # The counts of the documentation of version 2 (it names KEYWORD_OTHER twice).
    assert len(values.CATEGORIES) == 16
    assert len(values.KEYWORDS) == 69
    assert (len(values.EU), len(values.EEA), len(values.LANGUAGES)) == (27, 30, 183)
    assert (len(values.CONTENT_TYPES), len(values.VISIBILITIES)) == (8, 7)
    assert (len(values.SOURCES), len(values.PROVISIONS), len(values.MONETARY)) == (4, 4, 3)


@pytest.mark.parametrize("action", RESTRICTIONS)
def test_every_restriction_is_one_of_the_database(action: str) -> None:
    statement = build_statement(replace(RULING, action=action), CLAUSE, namespace="desk")
    assert set(statement.decision_visibility) <= values.VISIBILITIES


@pytest.mark.parametrize(
    ("by_machine", "by_person", "expected"),
    [(True, False, "FULLY"), (True, True, "PARTIALLY"), (False, True, "NOT_AUTOMATED")],
)
def test_automation_is_told(by_machine: bool, by_person: bool, expected: str) -> None:
    ruling = replace(RULING, decided_by_machine=by_machine, decided_by_person=by_person)
    statement = build_statement(ruling, CLAUSE, namespace="desk")
    assert statement.automated_decision == f"AUTOMATED_DECISION_{expected}"


def test_an_illegal_ground_takes_the_other_fields() -> None:
    clause = replace(CLAUSE, ground=values.ILLEGAL, reference="Criminal code, article 1")
    payload = build_statement(RULING, clause, namespace="desk").payload()
    assert payload["illegal_content_legal_ground"] == "Criminal code, article 1"
    assert not [name for name in payload if name.startswith("incompatible")]


def test_a_puid_is_stable_and_says_nothing() -> None:
    again = build_statement(RULING, CLAUSE, namespace="desk")
    other = build_statement(RULING, CLAUSE, namespace="another desk")
    assert again.puid == STATEMENT.puid != other.puid
    assert "d1" not in STATEMENT.puid


def test_what_restricts_nothing_has_no_statement() -> None:
    with pytest.raises(StatementError):
        build_statement(replace(RULING, action="allow"), CLAUSE, namespace="desk")


BROKEN: dict[str, dict[str, Any]] = {
    "puid": {"puid": "a b"},
    "puid too long": {"puid": "a" * 501},
    "ground": {"decision_ground": "DECISION_GROUND_TASTE"},
    "category": {"category": "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT"},
    "keyword": {"category_specification": ("KEYWORD_MISINFORMATION",)},
    "same category twice": {"category_addition": (CLAUSE.category,)},
    "territory": {"territorial_scope": ("CH",)},
    "no territory": {"territorial_scope": ()},
    "language": {"content_language": "en"},
    "no content type": {"content_type": ()},
    "content type without words": {"content_type": ("CONTENT_TYPE_OTHER",)},
    "words without content type": {"content_type_other": "a hologram"},
    "no restriction": {"decision_visibility": ()},
    "restriction": {"decision_visibility": ("DECISION_VISIBILITY_HIDDEN",)},
    "other restriction without words": {"decision_visibility": ("DECISION_VISIBILITY_OTHER",)},
    "monetary": {"decision_monetary": "DECISION_MONETARY_OTHER"},
    "account": {"decision_account": "banned"},
    "no explanation": {"incompatible_content_explanation": None},
    "blank explanation": {"incompatible_content_explanation": "  "},
    "wrong explanation": {"illegal_content_explanation": "It is."},
    "explanation too long": {"incompatible_content_explanation": "a" * 2001},
    "facts too long": {"decision_facts": "a" * (FACTS_MAX + 1)},
    "no facts": {"decision_facts": ""},
    "content date": {"content_date": date(1999, 12, 31)},
    "application date": {"application_date": date(2019, 12, 31)},
    "end before the start": {"end_date_visibility_restriction": date(2026, 3, 1)},
    "source": {"source_type": "SOURCE_RUMOUR"},
    "source identity": {"source_identity": "a newspaper"},
    "detection": {"automated_detection": "yes"},
    "decision": {"automated_decision": "Yes"},
    "address": {"decision_ground_reference_url": "ftp://example.org"},
    "other keyword": {"category_specification_other": "satire"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_is_kept(name: str) -> None:
    with pytest.raises(StatementError):
        replace(STATEMENT, **BROKEN[name])


def test_the_longest_texts_pass() -> None:
    replace(STATEMENT, decision_facts="a" * FACTS_MAX, incompatible_content_explanation="b" * 2000)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"nonsense": "x"},
        STATEMENT.payload() | {"content_date": "2026-02-30"},
        STATEMENT.payload() | {"content_date": "1 March 2026"},
        STATEMENT.payload() | {"content_type": "CONTENT_TYPE_VIDEO"},
        STATEMENT.payload() | {"puid": 3},
        STATEMENT.payload() | {"territorial_scope": [1]},
    ],
    ids=["empty", "unknown", "no day", "no date", "no list", "no text", "no texts"],
)
def test_a_payload_from_elsewhere_is_checked(payload: dict[str, Any]) -> None:
    with pytest.raises(StatementError):
        read_statement(payload)


PERSONAL = [
    "Sent by ann.smith@example.org yesterday",
    "write to ann (at) example (dot) org",
    "ANN@EXAMPLE.CO.UK",
    "ann\u200b@example.org",
    "\uff41nn\uff20example.org",
    "posted by @ann_smith",
    "(@ann)",
    "call +44 20 7946 0958",
    "call 0800-123-4567 now",
    "0043 (0)1 234 56 78",
    "tel. 030/1234567",
    "https://example.org/users/ann",
    "https://example.org/@ann",
    "from 192.0.2.17",
    "to DE89 3704 0044 0532 0130 00",
    "1 " * 2500,
]
IMPERSONAL = [
    RULING.facts,
    "Uploaded on 2026-03-01, decided on 02.03.2026, between 2024-2025.",
    "The score is 0.54 of 9 (0.31 to 1.20) at 44100 Hz and 1920x1080 pixels.",
    "Directive 2011/93/EU, article 5(2); Regulation (EU) 2022/2065.",
    "Frames 12, 13, 14, 15, 16, 17, 18 and 19 repeat; 1 2 3.",
    "Copy and paste at the edge @ 3. Next.",
    "x" * 5000,
    "1" * 5000,
    "a@" * 2500,
    "( " * 2500,
]


@pytest.mark.parametrize("text", PERSONAL, ids=lambda text: text[:20])
def test_personal_data_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(PersonalDataError) as refused:
        replace(STATEMENT, decision_facts=text)
    assert "ann" not in str(refused.value).casefold().replace("mann", "")


@pytest.mark.parametrize("text", IMPERSONAL, ids=lambda text: text[:20])
def test_plain_facts_pass(text: str) -> None:
    require_impersonal("facts", text)


def test_batches_hold_a_hundred_and_read_back(tmp_path: Path) -> None:
    statements = [replace(STATEMENT, puid=f"p{n}") for n in range(2 * BATCH_MAX + 1)]
    cut = list(batches(statements))
    assert [len(batch) for batch in cut] == [BATCH_MAX, BATCH_MAX, 1]
    written = [write_batch(batch, n, tmp_path) for n, batch in enumerate(cut, 1)]
    again = [one.puid for batch in written for one in read_batch(batch.path)]
    assert again == [one.puid for one in statements]
    assert write_batch(cut[0], 1, tmp_path).sha256 == written[0].sha256
    assert {path.name for path in tmp_path.iterdir()} == {
        f"statements-{n:06d}.json" for n in (1, 2, 3)
    }


def test_a_batch_is_refused_when_the_database_would() -> None:
    for batch in ([], [STATEMENT] * 2, [replace(STATEMENT, puid=f"p{n}") for n in range(101)]):
        with pytest.raises(StatementError):
            batch_bytes(batch)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_batch([STATEMENT], 1, tmp_path / "file")


@pytest.mark.parametrize("text", ["", "[]", '{"statements": 3}', '{"statements": [3]}', "[" * 9999])
def test_another_file_is_no_batch(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(StatementError):
        read_batch(path)


def test_every_field_of_the_schema_is_there() -> None:
    # The attributes of the documentation but content_id, which takes product numbers only.
    assert len(fields(StatementOfReasons)) == 34
