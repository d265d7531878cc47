"""The hash chain: each record's hash covers the record and the hash before it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moderation.errors import RecordError

DOMAIN = b"real-moderation audit record v1\n"
"""Keeps these hashes apart from every other use of SHA-256."""

GENESIS_HASH = "0" * 64
"""What stands for the hash before the first record."""

_HASH = re.compile(r"[0-9a-f]{64}")


def chain_hash(previous_hash: str, record: bytes) -> str:
    """SHA-256(domain || previous hash, 32 bytes || canonical record), in hexadecimal.

    The previous hash has a fixed length, so no two pairs give the same input.
    Source: hash chains after Haber and Stornetta (1991); domain separation as in RFC 6962, 2.1.

    Raises:
        RecordError: `previous_hash` is no SHA-256 in lower-case hexadecimal.
    """
    if not _HASH.fullmatch(previous_hash):
        raise RecordError(
            f"the previous hash {previous_hash[:80]!r}",
            expected="64 lower-case hexadecimal digits",
            remedy="Verify the chain: the record before is damaged.",
        )
    return hashlib.sha256(DOMAIN + bytes.fromhex(previous_hash) + record).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number and the hash of its last record; 0 and zeros when empty.

    Kept elsewhere, it shows later that the chain up to there is still the same.
    """

    sequence: int
    hash: str

    def __post_init__(self) -> None:
        if self.sequence < 0 or not _HASH.fullmatch(self.hash):
            raise RecordError(
                f"head {self.sequence}:{self.hash[:80]}",
                expected="NUMBER:HASH, as `moderation audit verify` prints it",
                remedy="Copy the head again.",
            )

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """The head that was printed as `NUMBER:HASH`.

        Raises:
            RecordError: anything else.
        """
        number, _, digest = text.strip().partition(":")
        return cls(int(number) if re.fullmatch(r"[0-9]{1,18}", number) else -1, digest)


EMPTY = Head(0, GENESIS_HASH)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it is kept.

    sequence: the number under which it is kept. record: canonical JSON, which holds the number
    again. previous_hash, hash: as `chain_hash` has them. columns: copies of the record's fields
    that are kept beside it for searching; they must agree with it.
    """

    sequence: int
    record: bytes
    previous_hash: str
    hash: str
    columns: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def sealed(cls, sequence: int, record: bytes, previous_hash: str) -> "Entry":
        """The entry that follows `previous_hash`."""
        return cls(sequence, record, previous_hash, chain_hash(previous_hash, record))
