"""Sends what is due. The table is the truth: what a killed process had in hand is sent again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, select, update

from moderation.database import reading, writing
from moderation.errors import TypedError
from moderation.outbound.client import Answer
from moderation.webhooks.registry import Delivery, DeliveryState, delivery
from moderation.webhooks.signature import signed_headers
from moderation.webhooks.tables import IS_PENDING, deliveries, webhooks

# An attempt is over long before; a process that dies in it delays the next one by this.
HOLD = timedelta(minutes=2)
BACKOFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200, 21600, 43200)
)
ANSWER_BYTES_MAX = 64 * 1024


class Poster(Protocol):
    """What sends a request; see `moderation.outbound.client.OutboundClient`."""

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int
    ) -> Answer: ...


def send_next(engine: Engine, poster: Poster, now: datetime) -> Delivery | None:
    """Try the delivery that has been due for longest; None where none is.

    A 2xx answer ends it. Anything else is tried again after `BACKOFF`, about a day in all. The
    receiver may get one twice, when this process dies after sending; `webhook-id` stays.
    """
    taken = _take(engine, now)
    if taken is None:
        return None
    found, url, secret = taken
    body = found.body.encode()
    status, error = None, None
    try:
        headers = signed_headers(secret, event_id=found.id, sent_at=now, body=body)
        status = poster.post(url, headers, body, bytes_max=ANSWER_BYTES_MAX).status
        if not 200 <= status < 300:
            error = f"answer {status}"
    except TypedError as refusal:
        error = f"{refusal.code}: {refusal.found}"[:500]
    return _note(engine, found, status, error, now)


def _take(engine: Engine, now: datetime) -> tuple[Delivery, str, str] | None:
    due = (
        select(deliveries, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
        .where(IS_PENDING, deliveries.c.next_attempt_at <= now)
        .order_by(deliveries.c.next_attempt_at)
        .limit(1)
    )
    with reading(engine) as connection:
        # Most often nothing is due, and then nobody has to wait for a writer's turn.
        if connection.execute(due).first() is None:
            return None
    with writing(engine) as connection:
        row = connection.execute(due.with_for_update(of=deliveries, skip_locked=True)).one_or_none()
        if row is None:
            return None
        changed = connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(attempts=row.attempts + 1, next_attempt_at=now + HOLD)
            .returning(deliveries)
        ).one()
        return delivery(changed), row.url, row.secret


def _note(
    engine: Engine, found: Delivery, status: int | None, error: str | None, now: datetime
) -> Delivery:
    values: dict[str, object] = {"last_status": status, "last_error": error}
    if error is None:
        values |= {"state": DeliveryState.DELIVERED, "finished_at": now}
    elif found.attempts > len(BACKOFF):
        values |= {"state": DeliveryState.FAILED, "finished_at": now}
    else:
        values |= {"next_attempt_at": now + BACKOFF[found.attempts - 1]}
    with writing(engine) as connection:
        row = connection.execute(
            update(deliveries)
            .where(deliveries.c.id == found.id)
            .values(values)
            .returning(deliveries)
        ).one_or_none()
    return found if row is None else delivery(row)  # None: its webhook was removed meanwhile
