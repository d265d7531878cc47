"""What a field of an audit record may hold. There is no free text: nothing here names a person."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moderation.audit.canonical import INTEGER_MAX, decimal_text
from moderation.errors import RecordError

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")
"""Identifiers, versions, states and codes; no blanks and no @, so no address and no sentence."""

DIGEST = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
LIST_MAX = 256


@dataclass(frozen=True, slots=True)
class FieldType:
    """One kind of value. read: gives the value as the record keeps it, or raises ValueError."""

    expected: str
    read: Callable[[Any], Any]


def _word(value: Any) -> str:
    if not isinstance(value, str) or not WORD.fullmatch(value):
        raise ValueError
    return str(value)  # a StrEnum becomes plain text


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise ValueError
    return value


def _decimal(value: Any) -> str:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return decimal_text(value)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise ValueError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _each(read: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def read_list(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) > LIST_MAX:
            raise ValueError
        return [read(part) for part in value]

    return read_list


def _factors(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > LIST_MAX:
        raise ValueError
    return {str(name): _decimal(number) for name, number in value.items()}


_WORD_TEXT = "an identifier of up to 128 letters, digits and ._:/+-"
WORD_FIELD = FieldType(_WORD_TEXT, _word)
WORDS_FIELD = FieldType(f"a list of identifiers ({_WORD_TEXT})", _each(_word))
DIGEST_FIELD = FieldType("64 lower-case hexadecimal digits", _digest)
COMMITMENTS_FIELD = FieldType("a list of commitments (64 hexadecimal digits)", _each(_digest))
DECIMAL_FIELD = FieldType("a finite number", _decimal)
DECIMALS_FIELD = FieldType("a list of finite numbers", _each(_decimal))
FACTORS_FIELD = FieldType("names with finite numbers", _factors)
COUNT_FIELD = FieldType("a whole number from 0", _count)
FLAG_FIELD = FieldType("true or false", _flag)


@dataclass(frozen=True, slots=True)
class BodySchema:
    """The fields of one kind of record."""

    required: Mapping[str, FieldType]
    optional: Mapping[str, FieldType]

    def read(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` as the record keeps it; fields that are None are left out.

        Raises:
            RecordError: a field is missing, unknown, or of another kind.
        """
        given = {name: value for name, value in body.items() if value is not None}
        known = {**self.required, **self.optional}
        absent = sorted(self.required.keys() - given.keys())
        unknown = sorted(given.keys() - known.keys())
        if absent or unknown:
            told = [f"lacks {', '.join(absent)}"] if absent else []
            told += [f"has {', '.join(unknown)}"] if unknown else []
            raise RecordError(
                f"a record {kind!r} {' and '.join(told)}",
                expected=f"{', '.join(sorted(self.required)) or 'nothing'}; may have "
                + (", ".join(sorted(self.optional)) or "nothing else"),
                remedy="Correct what makes the record.",
            )
        return {name: _read(f"{kind}.{name}", known[name], value) for name, value in given.items()}


def _read(where: str, field: FieldType, value: Any) -> Any:
    try:
        return field.read(value)
    except ValueError:
        raise RecordError(
            f"{where} is {str(value)[:80]!r}",
            expected=field.expected,
            remedy="Free text belongs into a commitment; correct what makes the record.",
        ) from None
