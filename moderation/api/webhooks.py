"""Webhooks: who is told of what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from moderation.api.fields import Body, PathId, View
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.pagination import Page, Paging
from moderation.api.problems import documented
from moderation.api.services import Services
from moderation.api.versions import IfMatch, etag, require_match
from moderation.database import reading, writing
from moderation.webhooks.registry import (
    DeliveryState,
    WebhookEvent,
    change_webhook,
    find_webhook,
    list_deliveries,
    list_webhooks,
    register,
    remove_webhook,
)

router = APIRouter(prefix="/v1/webhooks", route_class=GuardedRoute, tags=["webhooks"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)
_BODY_ERRORS = documented(400, 413, 415)

Url = Annotated[
    str,
    Field(
        min_length=8,
        max_length=2000,
        pattern=r"^https?://[!-~]+$",
        description="A public address; private ones are refused, now and at every delivery.",
    ),
]
Events = Annotated[list[WebhookEvent], Field(min_length=1, max_length=len(WebhookEvent))]


class NewWebhook(Body):
    """Where to, and what of."""

    url: Url
    events: Events

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://hooks.example.org/x", "events": ["case.ruled"]}]
        }
    )


class WebhookBody(NewWebhook):
    """Everything of a webhook but its secret."""

    is_active: bool = True


class WebhookView(View):
    """A webhook without its secret."""

    id: str
    url: str
    events: list[WebhookEvent]
    is_active: bool
    version: int
    created_at: datetime


class NewWebhookView(WebhookView):
    """With the secret, which is shown this once."""

    secret: str


class DeliveryView(View):
    """One event for one webhook, and what came of it."""

    id: str
    event: str
    body: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


@router.post(
    "",
    status_code=201,
    summary="Register a webhook",
    response_model=NewWebhookView,
    responses=_ERRORS | _BODY_ERRORS | documented(409),
)
def add(services: Services, once: Repeatable, body: NewWebhook) -> Response:
    """Each delivery is signed with the secret: HMAC-SHA-256 over id, time and body."""
    if (known := once.known()) is not None:
        return known
    services.webhook_outbound.check(body.url)

    def perform(connection: Connection) -> NewWebhookView:
        added = register(connection, url=body.url, events=body.events, now=services.clock())
        return NewWebhookView.model_validate(added)

    return once.answer(201, perform)


@router.get("", summary="Webhooks, oldest first", responses=_ERRORS)
def list_all(services: Services, paging: Paging) -> Page[WebhookView]:
    """Without their secrets."""
    key = paging.after("webhooks", datetime, str)
    with reading(services.engine) as connection:
        found = list_webhooks(
            connection, after=None if key is None else (key[0], key[1]), limit=paging.limit + 1
        )
    return paging.page(
        "webhooks", found, WebhookView.model_validate, lambda one: (one.created_at, one.id)
    )


@router.get("/{webhook_id}", summary="One webhook", responses=_ERRORS)
def show(services: Services, webhook_id: PathId, response: Response) -> WebhookView:
    """`ETag` names its version; a change needs it."""
    with reading(services.engine) as connection:
        found = find_webhook(connection, webhook_id)
    response.headers["ETag"] = etag(found.version)
    return WebhookView.model_validate(found)


@router.put(
    "/{webhook_id}",
    summary="Change a webhook",
    responses=_ERRORS | _BODY_ERRORS | documented(412, 428),
)
def change(
    services: Services,
    webhook_id: PathId,
    body: WebhookBody,
    if_match: IfMatch,
    response: Response,
) -> WebhookView:
    """Everything but the secret; needs `If-Match`."""
    services.webhook_outbound.check(body.url)
    with writing(services.engine) as connection:
        found = find_webhook(connection, webhook_id)
        require_match(if_match, found.version, "the webhook")
        changed = change_webhook(
            connection,
            webhook_id,
            version=found.version,
            url=body.url,
            events=body.events,
            is_active=body.is_active,
        )
    response.headers["ETag"] = etag(changed.version)
    return WebhookView.model_validate(changed)


@router.delete("/{webhook_id}", status_code=204, summary="Remove a webhook", responses=_ERRORS)
def remove(services: Services, webhook_id: PathId) -> None:
    """What was not delivered yet is dropped, and the log with it."""
    with writing(services.engine) as connection:
        remove_webhook(connection, webhook_id)


@router.get("/{webhook_id}/deliveries", summary="The log of a webhook", responses=_ERRORS)
def log(services: Services, webhook_id: PathId, paging: Paging) -> Page[DeliveryView]:
    """Every event, oldest first, with the newest attempt's answer."""
    key = paging.after("deliveries", datetime, str)
    with reading(services.engine) as connection:
        found = list_deliveries(
            connection,
            webhook_id,
            after=None if key is None else (key[0], key[1]),
            limit=paging.limit + 1,
        )
    return paging.page(
        "deliveries", found, DeliveryView.model_validate, lambda one: (one.created_at, one.id)
    )
