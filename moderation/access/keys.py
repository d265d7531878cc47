"""API keys: made, shown once, kept as salted hashes, checked, revoked.

A key is `rmk_ID_SECRET`. The id finds the row; the secret has 256 random bits, so a single round of
SHA-256 under a salt of the key's own is as hard to turn back as any slow hash.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select, update

from moderation.access.errors import KeyRefused
from moderation.access.tables import keys
from moderation.errors import ConfigurationError

_FORM = re.compile(r"rmk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SALT_BYTES, _SECRET_BYTES = 16, 32


class AccessRole(StrEnum):
    """What a key may be used for; see `moderation.api.permissions`."""

    UPLOADER = "uploader"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. name: of the person or the system that uses it.

    Two keys of one name are the same person: leases, decisions and appeals go by the name.
    """

    id: str
    name: str
    role: AccessRole
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def actor(self) -> str:
        """`ROLE:NAME`, as audit records have it."""
        return f"{self.role}:{self.name}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret_text` is shown once, and kept nowhere."""

    key: ApiKey
    secret_text: str = field(repr=False)


def create_key(
    connection: Connection,
    *,
    name: str,
    role: AccessRole,
    now: datetime,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key.

    Raises:
        ConfigurationError: a name that records cannot hold, or an expiry that has passed.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"the name {name[:80]!r}",
            expected="1 to 64 letters, digits, - or _; a pseudonym",
            remedy="Choose another name.",
        )
    if expires_at is not None and expires_at <= now:
        raise ConfigurationError(
            f"an expiry at {expires_at.isoformat()}",
            expected=f"a time after {now.isoformat()}",
            remedy="Name a later time.",
        )
    salt, secret = secrets.token_bytes(_SALT_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    row = connection.execute(
        insert(keys)
        .values(
            id=secrets.token_hex(6),
            name=name,
            role=role,
            salt=salt,
            digest=_digest(salt, secret),
            created_at=now,
            expires_at=expires_at,
        )
        .returning(keys)
    ).one()
    return NewKey(_key(row), f"rmk_{row.id}_{secret}")


def authenticate(connection: Connection, text: str, now: datetime) -> ApiKey:
    """The key that `text` is.

    Raises:
        KeyRefused: no such key, or one that is revoked or expired.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise _refused("a key of no known form")
    row = connection.execute(select(keys).where(keys.c.id == match[1])).one_or_none()
    # Compared with something in any case, so that the time does not tell which ids there are.
    salt, digest = (bytes(_SALT_BYTES), bytes(32)) if row is None else (row.salt, row.digest)
    is_right = hmac.compare_digest(_digest(salt, match[2]), digest)
    if row is None or not is_right:
        raise _refused("a key that is not known")
    return _in_force(_key(row), now)


def key_in_force(connection: Connection, key_id: str, now: datetime) -> ApiKey:
    """The key of an id that was shown before.

    Raises:
        KeyRefused: it is revoked or expired.
    """
    row = connection.execute(select(keys).where(keys.c.id == key_id)).one_or_none()
    if row is None:
        raise _refused("a key that is not known")
    return _in_force(_key(row), now)


def _in_force(key: ApiKey, now: datetime) -> ApiKey:
    if key.revoked_at is not None:
        raise _refused(f"key {key.id}, which was revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise _refused(f"key {key.id}, which has expired")
    return key


def revoke_key(connection: Connection, key_id: str, now: datetime) -> ApiKey:
    """End a key at once; one that has ended stays as it is.

    Raises:
        KeyRefused: no such key.
    """
    connection.execute(
        update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    row = connection.execute(select(keys).where(keys.c.id == key_id)).one_or_none()
    if row is None:
        raise KeyRefused(
            f"no key {key_id[:40]!r}", expected="the id of a key", remedy="List the keys."
        )
    return _key(row)


def list_keys(connection: Connection) -> Sequence[ApiKey]:
    """All keys, oldest first."""
    found = connection.execute(select(keys).order_by(keys.c.created_at, keys.c.id))
    return [_key(row) for row in found]


def _digest(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()


def _key(row: "Row[tuple[object, ...]]") -> ApiKey:
    return ApiKey(
        row.id, row.name, AccessRole(row.role), row.created_at, row.expires_at, row.revoked_at
    )


def _refused(found: str) -> KeyRefused:
    return KeyRefused(
        found,
        expected="Authorization: Bearer KEY, with a key that is in force",
        remedy="Make one with `moderation keys create`.",
    )
