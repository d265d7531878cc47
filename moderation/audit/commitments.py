"""Salted hashes of free text: the chain vouches for a text without holding it.

A commitment is HMAC-SHA-256(salt, domain || text) with a salt of 32 random bytes that is kept
beside the text. Erasing text and salt leaves the commitment, which nobody can guess the text
from: a plain hash of a short note could be found by trying. Source: RFC 2104; the hiding is that
of HMAC as a pseudo-random function of a secret key.
"""

import hashlib
import hmac
from dataclasses import dataclass

from moderation.errors import RecordError

SALT_BYTES = 32
DOMAIN = b"real-moderation audit text v1\n"
TEXT_CHARACTERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class CommittedText:
    """A text with its salt; `commitment` is what a record holds of it."""

    text: str
    salt: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES or len(self.text) > TEXT_CHARACTERS_MAX:
            raise RecordError(
                f"a text of {len(self.text)} characters with a salt of {len(self.salt)} bytes",
                expected=f"at most {TEXT_CHARACTERS_MAX} characters and {SALT_BYTES} random bytes",
                remedy="Shorten the text, or make the salt with secrets.token_bytes.",
            )
        # PostgreSQL keeps neither.
        if "\0" in self.text or any("\ud800" <= c <= "\udfff" for c in self.text):
            raise RecordError(
                "a text with a zero character or a lone surrogate",
                expected="text that every database keeps",
                remedy="Remove the character.",
            )

    @property
    def commitment(self) -> str:
        return commit(self.text, self.salt)


def commit(text: str, salt: bytes) -> str:
    """The commitment to `text`, in hexadecimal."""
    return hmac.new(salt, DOMAIN + text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def opens(commitment: str, text: str, salt: bytes) -> bool:
    """Whether `text` with `salt` is what was committed to."""
    return hmac.compare_digest(commitment, commit(text, salt))
