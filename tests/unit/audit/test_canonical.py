"""The same value always gives the same bytes, and nothing else gives them."""

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.audit.canonical import INTEGER_MAX, canonical_json, decimal_text, parse_exact
from moderation.audit.chain import DOMAIN, GENESIS_HASH, Head, chain_hash
from moderation.audit.commitments import SALT_BYTES, CommittedText, commit, opens
from moderation.errors import RecordError

KEYS = st.text("abcxyz019_", min_size=1, max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.text(st.characters(codec="utf-8"), max_size=20)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner), max_leaves=12
)


@given(VALUES)
def test_what_is_written_reads_back_and_is_written_the_same(value: object) -> None:
    text = canonical_json(value)
    assert parse_exact(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(KEYS, LEAVES, min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_the_form_is_that_of_the_standard() -> None:
    # RFC 8785 writes these the same way.
    value = {"b": [1, True, None], "a": 'é"\n'}
    assert canonical_json(value) == '{"a":"é\\"\\n","b":[1,true,null]}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        {"a": [1.0]},
        math.nan,
        INTEGER_MAX + 1,
        {"A": 1},
        {"ä": 1},
        {1: 1},
        "\ud800",
        {1, 2},
        b"x",
    ],
    ids=repr,
)
def test_what_reads_back_differently_elsewhere_is_refused(value: object) -> None:
    with pytest.raises(RecordError):
        canonical_json(value)


def test_a_bottomless_value_is_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RecordError):
        canonical_json(value)
    with pytest.raises(RecordError):
        parse_exact(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    "text", [b'{"a": 1}', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'"\\u00e9"', b"1.0", b"{", b"\xff"]
)
def test_other_spellings_are_told_apart(text: bytes) -> None:
    with pytest.raises(RecordError):
        parse_exact(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_keep_every_bit(value: float) -> None:
    text = decimal_text(value)
    assert float(text) == value
    assert math.copysign(1, float(text)) == math.copysign(1, value)


def test_the_hash_is_the_published_formula() -> None:
    record = canonical_json({"a": 1})
    expected = hashlib.sha256(b"real-moderation audit record v1\n" + bytes(32) + b'{"a":1}')
    assert DOMAIN == b"real-moderation audit record v1\n"
    assert chain_hash(GENESIS_HASH, record) == expected.hexdigest()


@pytest.mark.parametrize("text", ["", "x", "3", "3:zz", "-1:" + "0" * 64, "3:" + "A" * 64])
def test_a_head_is_parsed_or_refused(text: str) -> None:
    with pytest.raises(RecordError):
        Head.parse(text)
    assert Head.parse(str(Head(7, "ab" * 32))) == Head(7, "ab" * 32)


KEPT_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)


@given(KEPT_TEXT, st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES), st.text())
def test_a_commitment_opens_to_its_text_only(text: str, salt: bytes, other: str) -> None:
    committed = CommittedText(text, salt)
    assert opens(committed.commitment, text, salt)
    assert opens(committed.commitment, other, salt) == (other == text)
    assert commit(text, bytes(SALT_BYTES - 1) + b"\1") != commit(text, bytes(SALT_BYTES))
    with pytest.raises(RecordError):
        CommittedText(text, salt[1:])
    for unkept in ("a\0", "\ud800"):
        with pytest.raises(RecordError):
            CommittedText(unkept, salt)
