"""Registrations, the events that are kept for them, and the log of deliveries."""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, tuple_, update

from moderation.errors import PermanentError
from moderation.webhooks.signature import SECRET_PREFIX
from moderation.webhooks.tables import deliveries, webhooks


class WebhookMissing(PermanentError):
    """No webhook with this id."""

    code = "webhook_not_found"


class VersionConflict(PermanentError):
    """Somebody changed it in between."""

    code = "version_conflict"


class WebhookEvent(StrEnum):
    """What can be told."""

    ITEM_TRIAGED = "item.triaged"
    ITEM_FAILED = "item.failed"
    TASK_DECIDED = "task.decided"
    TASK_UNDONE = "task.undone"
    CASE_RULED = "case.ruled"
    APPEAL_FILED = "appeal.filed"
    APPEAL_CLOSED = "appeal.closed"
    POLICY_ACTIVATED = "policy.activated"


class DeliveryState(StrEnum):
    """Pending until it was taken, or was tried too often."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """events: that it is told of. version: rises with every change."""

    id: str
    url: str
    events: tuple[WebhookEvent, ...]
    secret: str = field(repr=False)
    is_active: bool
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. last_status, last_error: of the newest attempt."""

    id: str
    webhook_id: str
    event: str
    body: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


def register(
    connection: Connection, *, url: str, events: Sequence[WebhookEvent], now: datetime
) -> Webhook:
    """A new webhook with a secret of its own."""
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    row = connection.execute(
        insert(webhooks)
        .values(
            id=uuid.uuid4().hex,
            url=url,
            events=sorted(set(events)),
            secret=secret,
            is_active=True,
            version=1,
            created_at=now,
        )
        .returning(webhooks)
    ).one()
    return _webhook(row)


def find_webhook(connection: Connection, webhook_id: str) -> Webhook:
    """Raises:
    WebhookMissing: there is none.
    """
    row = connection.execute(select(webhooks).where(webhooks.c.id == webhook_id)).one_or_none()
    if row is None:
        raise WebhookMissing(
            f"no webhook {webhook_id[:64]!r}",
            expected="the id of a webhook",
            remedy="List the webhooks.",
        )
    return _webhook(row)


def change_webhook(
    connection: Connection,
    webhook_id: str,
    *,
    version: int,
    url: str,
    events: Sequence[WebhookEvent],
    is_active: bool,
) -> Webhook:
    """Replace everything but the secret. version: that the change was made from.

    Raises:
        WebhookMissing: there is none.
        VersionConflict: it has another version by now.
    """
    row = connection.execute(
        update(webhooks)
        .where(webhooks.c.id == webhook_id, webhooks.c.version == version)
        .values(url=url, events=sorted(set(events)), is_active=is_active, version=version + 1)
        .returning(webhooks)
    ).one_or_none()
    if row is None:
        present = find_webhook(connection, webhook_id)
        raise VersionConflict(
            f"version {version} of webhook {webhook_id}",
            expected=f"version {present.version}",
            remedy="Read it again, and make the change anew.",
        )
    return _webhook(row)


def remove_webhook(connection: Connection, webhook_id: str) -> None:
    """With its log.

    Raises:
        WebhookMissing: there is none.
    """
    find_webhook(connection, webhook_id)
    connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


def list_webhooks(
    connection: Connection, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> Sequence[Webhook]:
    """Oldest first."""
    query = select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)
    if after is not None:
        query = query.where(tuple_(webhooks.c.created_at, webhooks.c.id) > after)
    return [_webhook(row) for row in connection.execute(query.limit(limit))]


def announce(
    connection: Connection, event: WebhookEvent, facts: Mapping[str, Any], now: datetime
) -> int:
    """Keep an event for every webhook that wants it, in the caller's transaction; how many.

    facts: as JSON, identifiers and codes; no free text and no media.
    """
    wanting = [
        row.id
        for row in connection.execute(
            select(webhooks.c.id, webhooks.c.events).where(webhooks.c.is_active)
        )
        if event in row.events
    ]
    for webhook_id in wanting:
        key = uuid.uuid4().hex
        body = {"id": key, "event": event, "at": now.isoformat(), "facts": dict(facts)}
        connection.execute(
            insert(deliveries).values(
                id=key,
                webhook_id=webhook_id,
                event=event,
                body=json.dumps(body, sort_keys=True),
                state=DeliveryState.PENDING,
                attempts=0,
                next_attempt_at=now,
                created_at=now,
            )
        )
    return len(wanting)


def list_deliveries(
    connection: Connection,
    webhook_id: str,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> Sequence[Delivery]:
    """The log of a webhook, oldest first.

    Raises:
        WebhookMissing: there is none.
    """
    find_webhook(connection, webhook_id)
    query = (
        select(deliveries)
        .where(deliveries.c.webhook_id == webhook_id)
        .order_by(deliveries.c.created_at, deliveries.c.id)
    )
    if after is not None:
        query = query.where(tuple_(deliveries.c.created_at, deliveries.c.id) > after)
    return [delivery(row) for row in connection.execute(query.limit(limit))]


def delivery(row: "Row[tuple[object, ...]]") -> Delivery:
    """A row of `deliveries` as a value."""
    values = dict(row._mapping)
    return Delivery(**{**values, "state": DeliveryState(values["state"])})


def _webhook(row: "Row[tuple[object, ...]]") -> Webhook:
    values = dict(row._mapping)
    return Webhook(**{**values, "events": tuple(map(WebhookEvent, values["events"]))})
