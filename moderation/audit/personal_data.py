"""Refuses text that seems to name or reach a person: the database must hold no personal data.

Patterns find addresses, telephone numbers, account handles, profile links, IP addresses and
payment accounts. They do not find names: a person who writes free text must not put one in.
"""

import re
import unicodedata

from moderation.errors import PersonalDataError

# Every repetition is bounded or cannot overlap its neighbour, so that no text takes long.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "an e-mail address",
        re.compile(
            r"[^\s@<>()\[\],;:]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,63}"
            r"(?:\.|\s?(?:\(dot\)|\[dot\])\s?)[\w-]{2,63}",
            re.IGNORECASE,
        ),
    ),
    ("a handle", re.compile(r"(?<![\w@.])@\w(?:[\w.-]{1,63})")),
    (
        "a link to a profile",
        re.compile(
            r"\b(?:https?://|www\.)\S{1,200}/(?:@|u/|user/|users/|profile)\S", re.IGNORECASE
        ),
    ),
    ("an IP address", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    (
        "a payment account",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ),
)
_NUMBER = re.compile(r"(?<![\w.,])(?:\+|00)?\(?\d[\d\s().\u2010-\u2015/-]{6,28}\d(?!\w)")
_DATE = re.compile(
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4}|\d{4}\s?[-\u2013/]\s?\d{4}"
    r"|\d{4}/\d{1,4}"
)
_DIGITS_MIN, _DIGITS_MAX = 7, 15  # ITU-T E.164


def require_impersonal(field: str, text: str) -> None:
    """Let `text` pass, or say which kind of personal data it seems to hold; never repeats it.

    Raises:
        PersonalDataError: it seems to hold some.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    for what, pattern in _PATTERNS:
        if found := pattern.search(plain):
            raise _refused(field, what, found.start())
    for found in _NUMBER.finditer(plain):
        rest = _DATE.sub(" ", found.group())
        digits = sum(character.isdigit() for character in rest)
        if _DIGITS_MIN <= digits <= _DIGITS_MAX:
            raise _refused(field, "a telephone number", found.start())


def _refused(field: str, what: str, at: int) -> PersonalDataError:
    return PersonalDataError(
        f"{field} seems to hold {what} at character {at + 1}",
        expected="no personal data (DSA, article 24(5))",
        remedy="Describe the person's role instead, or leave it out.",
    )
