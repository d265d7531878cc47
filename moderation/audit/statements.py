"""Statements of reasons, in the form that the DSA Transparency Database takes.

Source: DSA (Regulation (EU) 2022/2065), articles 17 and 24(5); the database's API, version 2
(`moderation.dsa_values`). A statement that can be made is one that passes these rules.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from moderation import dsa_values as values
from moderation.audit.personal_data import require_impersonal
from moderation.errors import StatementError

API_VERSION = "dsa-api-v2"
FACTS_MAX = 5000
_PUID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_LENGTHS = {
    "decision_visibility_other": 500,
    "decision_monetary_other": 500,
    "illegal_content_legal_ground": 500,
    "illegal_content_explanation": 2000,
    "incompatible_content_ground": 500,
    "incompatible_content_explanation": 2000,
    "category_specification_other": 500,
    "content_type_other": 500,
    "decision_facts": FACTS_MAX,
    "source_identity": 500,
    "decision_ground_reference_url": 500,
}
_ONE_OF: dict[str, Collection[str]] = {
    "decision_monetary": values.MONETARY,
    "decision_provision": values.PROVISIONS,
    "decision_account": values.ACCOUNTS,
    "account_type": values.ACCOUNT_TYPES,
    "decision_ground": values.GROUNDS,
    "incompatible_content_illegal": values.YES_NO,
    "category": values.CATEGORIES,
    "content_language": values.LANGUAGES,
    "source_type": values.SOURCES,
    "automated_detection": values.YES_NO,
    "automated_decision": values.AUTOMATED_DECISIONS,
}
_SOME_OF: dict[str, Collection[str]] = {
    "decision_visibility": values.VISIBILITIES,
    "category_addition": values.CATEGORIES,
    "category_specification": values.KEYWORDS,
    "content_type": values.CONTENT_TYPES,
    "territorial_scope": values.EEA,
}
_END_DATES = tuple(
    f"end_date_{what}_restriction" for what in ("visibility", "monetary", "service", "account")
)
_FIRST_CONTENT, _FIRST_APPLICATION = date(2000, 1, 1), date(2020, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementOfReasons:
    """One statement; field names are those of the API, and every value is checked.

    Raises:
        StatementError: a value is not one of those allowed, a field that another needs is
            missing, a text is too long, or a date is out of order.
        PersonalDataError: a text seems to hold personal data.
    """

    puid: str
    decision_ground: str
    category: str
    content_type: tuple[str, ...]
    territorial_scope: tuple[str, ...]
    content_date: date
    application_date: date
    decision_facts: str
    source_type: str
    automated_detection: str
    automated_decision: str
    decision_visibility: tuple[str, ...] = ()
    decision_visibility_other: str | None = None
    decision_monetary: str | None = None
    decision_monetary_other: str | None = None
    decision_provision: str | None = None
    decision_account: str | None = None
    account_type: str | None = None
    decision_ground_reference_url: str | None = None
    illegal_content_legal_ground: str | None = None
    illegal_content_explanation: str | None = None
    incompatible_content_ground: str | None = None
    incompatible_content_explanation: str | None = None
    incompatible_content_illegal: str | None = None
    category_addition: tuple[str, ...] = ()
    category_specification: tuple[str, ...] = ()
    category_specification_other: str | None = None
    content_type_other: str | None = None
    content_language: str | None = None
    end_date_visibility_restriction: date | None = None
    end_date_monetary_restriction: date | None = None
    end_date_service_restriction: date | None = None
    end_date_account_restriction: date | None = None
    source_identity: str | None = None

    def __post_init__(self) -> None:
        if not _PUID.fullmatch(self.puid):
            raise _refused("puid", self.puid, "up to 500 letters, digits, - and _")
        for name, allowed in _ONE_OF.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise _refused(name, value, f"one of {', '.join(sorted(allowed))}")
        for name, allowed in _SOME_OF.items():
            given = getattr(self, name)
            for value in given:
                if value not in allowed:
                    raise _refused(name, value, f"some of {', '.join(sorted(allowed))}")
            if len(set(given)) < len(given):
                raise _refused(name, ", ".join(given), "each value once")
        self._check_presence()
        self._check_dates()
        self._check_texts()

    def _check_presence(self) -> None:
        restrictions = (
            *("decision_visibility", "decision_monetary"),
            *("decision_provision", "decision_account"),
        )
        if not any(getattr(self, name) for name in restrictions):
            raise _refused(
                "decision", "no restriction", f"at least one of {', '.join(restrictions)}"
            )
        for name in ("content_type", "territorial_scope"):
            if not getattr(self, name):
                raise _refused(name, "nothing", "at least one value")
        is_illegal = self.decision_ground == values.ILLEGAL
        needed = {
            "illegal_content_legal_ground": is_illegal,
            "illegal_content_explanation": is_illegal,
            "incompatible_content_ground": not is_illegal,
            "incompatible_content_explanation": not is_illegal,
            "decision_visibility_other": "DECISION_VISIBILITY_OTHER" in self.decision_visibility,
            "decision_monetary_other": self.decision_monetary == "DECISION_MONETARY_OTHER",
            "content_type_other": "CONTENT_TYPE_OTHER" in self.content_type,
            "decision_facts": True,
        }
        for name, is_needed in needed.items():
            if is_needed and not (getattr(self, name) or "").strip():
                raise _refused(name, "nothing", "a text, as the other fields are")
            if not is_needed and getattr(self, name) is not None:
                raise _refused(name, "a text", "none, as the other fields are")
        if self.incompatible_content_illegal is not None and is_illegal:
            raise _refused("incompatible_content_illegal", "a value", "none on this ground")
        has_other = "KEYWORD_OTHER" in self.category_specification
        if self.category_specification_other is not None and not has_other:
            raise _refused("category_specification_other", "a text", "none without KEYWORD_OTHER")
        if self.category in self.category_addition:
            raise _refused("category_addition", self.category, "categories beside the first")
        if self.source_identity is not None and self.source_type == values.VOLUNTARY:
            raise _refused("source_identity", "a text", "none for SOURCE_VOLUNTARY")

    def _check_dates(self) -> None:
        if self.content_date < _FIRST_CONTENT:
            raise _refused("content_date", str(self.content_date), f"{_FIRST_CONTENT} or later")
        if self.application_date < _FIRST_APPLICATION:
            raise _refused(
                "application_date", str(self.application_date), f"{_FIRST_APPLICATION} or later"
            )
        for name in _END_DATES:
            end = getattr(self, name)
            if end is not None and end < self.application_date:
                raise _refused(name, str(end), f"{self.application_date} or later")

    def _check_texts(self) -> None:
        for name, longest in _LENGTHS.items():
            text = getattr(self, name)
            if text is None:
                continue
            if len(text) > longest:
                raise _refused(name, f"{len(text)} characters", f"at most {longest}")
            require_impersonal(name, text)
        url = self.decision_ground_reference_url
        if url is not None and not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", url):
            raise _refused("decision_ground_reference_url", url, "an http or https address")

    def payload(self) -> dict[str, Any]:
        """The fields as the API takes them; those without a value are left out."""
        given: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                value = sorted(value)
            elif isinstance(value, date):
                value = value.isoformat()
            if value not in (None, []):
                given[field.name] = value
        return given


def read_statement(payload: dict[str, Any]) -> StatementOfReasons:
    """The statement that `StatementOfReasons.payload` wrote.

    Raises:
        StatementError: a field that is unknown, missing or of the wrong kind, or a rule broken.
    """
    known = {field.name: field for field in fields(StatementOfReasons)}
    given: dict[str, Any] = {}
    for name, value in payload.items():
        if name not in known:
            raise _refused(name, "a field of this name", f"some of {', '.join(known)}")
        if name in _SOME_OF:
            if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
                raise _refused(name, type(value).__name__, "a list of texts")
            given[name] = tuple(value)
        elif not isinstance(value, str):
            raise _refused(name, type(value).__name__, "a text")
        elif "date" in name.split("_"):
            given[name] = _read_date(name, value)
        else:
            given[name] = value
    try:
        return StatementOfReasons(**given)
    except TypeError as error:
        raise _refused("statement", str(error), "every required field") from error


def _read_date(name: str, text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise _refused(name, text, "YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refused(name, text, "a day of the calendar") from None


def _refused(field: str, found: str, expected: str) -> StatementError:
    return StatementError(
        f"{field}: {found[:120]}",
        expected=expected,
        remedy="Correct the policy's clause or the decision that the statement is built from.",
    )
