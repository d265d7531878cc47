"""What routes work with, those of the API and those of the console."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from moderation.access.keys import ApiKey
from moderation.access.rate_limit import RateLimiter
from moderation.casework.deployment import Deployment
from moderation.intake.blobs import BlobStore
from moderation.outbound.client import OutboundClient
from moderation.review.rules import ReviewRules
from moderation.review.transaction import ReviewEvent, Transaction
from moderation.webhooks.registry import WebhookEvent, announce


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLimits:
    """body_bytes_max: of a JSON body. allow_fetch: whether items may
    be handed in by URL. answer_hours: how long answers are kept for repeated requests.
    capacity_minutes: of reviewing that the team does in an hour.
    """

    body_bytes_max: int = 1024 * 1024
    allow_fetch: bool = False
    answer_hours: float = 24.0
    capacity_minutes: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteServices:
    """Collaborators of the routes.

    follow: what comes of events of review, such as records and statements. deployment: that is in
    use now. ring: says that the content of a SHA-256 waits to be scored. data: the folder for files
    that the server writes.
    """

    engine: Engine
    rules: ReviewRules
    follow: Callable[[Transaction, Sequence[ReviewEvent], str], None]
    deployment: Callable[[], Deployment]
    blobs: BlobStore
    limiter: RateLimiter
    clock: Callable[[], datetime]
    outbound: OutboundClient
    webhook_outbound: OutboundClient
    data: Path
    runner_is_alive: Callable[[], bool]
    ring: Callable[[str], None]
    limits: RouteLimits = RouteLimits()

    @contextmanager
    def reviewing(self, connection: Connection, caller: ApiKey) -> Iterator[Transaction]:
        """Review in a transaction of the caller's, now; what follows from it comes at its end."""
        events: list[ReviewEvent] = []
        # Asked for at every turn, as another policy may have come into force.
        rules = self.deployment().review_rules(self.rules)
        tx = Transaction(connection, self.clock(), rules, lambda _, event: events.append(event))
        yield tx
        self.follow(tx, events, caller.actor)
        for event in events:
            told = _WEBHOOKS.get(event.name)
            if told is not None:
                facts = {"case_id": event.case_id, "task_id": event.task_id}
                announce(connection, told, facts | _plain(event.facts), tx.now)


_WEBHOOKS = {
    "decided": WebhookEvent.TASK_DECIDED,
    "undone": WebhookEvent.TASK_UNDONE,
    "ruled": WebhookEvent.CASE_RULED,
    "appeal_filed": WebhookEvent.APPEAL_FILED,
    "appeal_closed": WebhookEvent.APPEAL_CLOSED,
}


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what people wrote: that stays here."""
    return {name: value for name, value in facts.items() if name not in ("note", "grounds")}
