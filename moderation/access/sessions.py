"""Sessions of the console: a key shown once stands for its holder until the session ends.

The browser keeps a random token, the database only its SHA-256: 256 random bits need no salt. A
session lives no longer than its key, and a key that is revoked or expires ends all of its own.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from moderation.access.errors import SessionEnded
from moderation.access.keys import ApiKey, authenticate, key_in_force
from moderation.access.tables import sessions

TOKEN_BYTES = 32
# Written no more often than this: a page that loads ten pictures is one sign of life.
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionRules:
    """idle: without a sign of life it ends. lifetime: it ends whatever happens."""

    idle: timedelta = timedelta(hours=1)
    lifetime: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.idle <= self.lifetime:
            raise ValueError(f"an idle time of {self.idle} is not between 0 and {self.lifetime}")


@dataclass(frozen=True, slots=True)
class Session:
    """Whose it is, and until when. form_token: proves that a form came from a page of ours."""

    key: ApiKey
    form_token: str = field(repr=False)
    ends_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun; `token` is what the browser keeps, and nobody else."""

    session: Session
    token: str = field(repr=False)


def begin_session(
    connection: Connection, key_text: str, rules: SessionRules, now: datetime
) -> NewSession:
    """Log in with a key.

    Raises:
        KeyRefused: no such key, or one that is not in force.
    """
    key = authenticate(connection, key_text, now)
    _forget(connection, now, rules)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ends_at = now + rules.lifetime
    connection.execute(
        insert(sessions).values(
            digest=_digest(token), key_id=key.id, begun_at=now, seen_at=now, ends_at=ends_at
        )
    )
    return NewSession(Session(key, form_token(token), ends_at, now), token)


def find_session(connection: Connection, token: str, rules: SessionRules, now: datetime) -> Session:
    """The session of a token.

    Raises:
        SessionEnded: none, or one that has ended.
        KeyRefused: its key has ended.
    """
    row = connection.execute(
        select(sessions).where(sessions.c.digest == _digest(token))
    ).one_or_none()
    if row is None or row.ends_at <= now or row.seen_at + rules.idle <= now:
        raise SessionEnded(
            "no session, or one that has ended",
            expected="a session that is in use",
            remedy="Log in again.",
        )
    key = key_in_force(connection, row.key_id, now)
    return Session(key, form_token(token), row.ends_at, row.seen_at)


def needs_touch(session: Session, now: datetime) -> bool:
    """Whether the last sign of life that was kept is old enough to keep a newer one."""
    return now - session.seen_at >= _SEEN_EVERY


def touch_session(connection: Connection, token: str, now: datetime) -> None:
    """Its holder is there."""
    connection.execute(
        update(sessions)
        .where(sessions.c.digest == _digest(token), sessions.c.seen_at < now)
        .values(seen_at=now)
    )


def end_session(connection: Connection, token: str) -> None:
    """Log out; one that has ended stays so."""
    connection.execute(delete(sessions).where(sessions.c.digest == _digest(token)))


def form_token(token: str) -> str:
    """What a session's forms carry; it tells nothing of the session's own token."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _forget(connection: Connection, now: datetime, rules: SessionRules) -> None:
    connection.execute(
        delete(sessions).where(
            or_(sessions.c.ends_at <= now, sessions.c.seen_at <= now - rules.idle)
        )
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).hexdigest()
