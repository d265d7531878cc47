"""One transaction of review: the connection, the time it takes place at, and who is told."""

import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from moderation.database import writing
from moderation.review.rules import ReviewRules


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """Something that happened in review, for the audit record and for webhooks.

    name: what, such as `decided`, `ruled`, `undone`, `appeal_filed`, `appeal_closed`. actor_id:
    the reviewer, None for the system. facts: the rest, as JSON.
    """

    name: str
    at: datetime
    case_id: str
    task_id: str
    actor_id: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)


Recorder = Callable[[Connection, ReviewEvent], None]


def _unrecorded(_connection: Connection, _event: ReviewEvent) -> None:
    """For a deployment that keeps no record of its own."""


def new_id() -> str:
    """32 hexadecimal digits that tell nothing of what or when."""
    return uuid.uuid4().hex


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What every operation of review takes: all of them take place in it, or none.

    now: the caller's time. record: is called with each event, on the same connection, so that
    a record and what it records are committed together.
    """

    connection: Connection
    now: datetime
    rules: ReviewRules
    record: Recorder = _unrecorded
    new_id: Callable[[], str] = new_id
    new_token: Callable[[], str] = new_token

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError(f"the time {self.now.isoformat()} has no time zone")


@dataclass(frozen=True, slots=True)
class Review:
    """The review of a deployment: `with review.at(now) as tx: claim(tx, "ann")`."""

    engine: Engine
    rules: ReviewRules
    record: Recorder = _unrecorded
    new_id: Callable[[], str] = new_id
    new_token: Callable[[], str] = new_token

    @contextmanager
    def at(self, now: datetime) -> Iterator[Transaction]:
        """A transaction that takes place at `now`.

        Raises:
            DatabaseBusy: nothing was done; try again.
        """
        with writing(self.engine) as connection:
            yield Transaction(connection, now, self.rules, self.record, self.new_id, self.new_token)
