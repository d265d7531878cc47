"""The real application in this process, on a database of the test's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.access.rate_limit import Rate, RateLimiter
from moderation.api.application import create_app
from moderation.casework.deployment import Deployment
from moderation.casework.following import follow
from moderation.database import writing
from moderation.intake.blobs import BlobStore
from moderation.outbound.client import OutboundClient
from moderation.review.rules import ReviewRules
from moderation.route_services import RouteLimits, RouteServices
from tests.contract.casework.scripted import deployment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""Where no test says otherwise, it is always this moment."""


def application(
    engine: Engine,
    data: Path,
    *,
    limits: RouteLimits | None = None,
    rate: Rate | None = None,
    bytes_max: int = 1_000_000,
    outbound: OutboundClient | None = None,
    clock: "Clock | None" = None,
    deployed: "Callable[[], Deployment]" = deployment,
) -> FastAPI:
    """The application with a clock that stands still unless a test moves it."""
    outbound = outbound or OutboundClient(resolver=lambda host, port: ["93.184.215.14"])
    return create_app(
        RouteServices(
            engine=engine,
            rules=ReviewRules(salt="salt", second_rate=0.0, golden_rate=0.0),
            follow=lambda tx, events, actor: follow(tx, events, namespace="test", actor=actor),
            deployment=deployed,
            ring=lambda sha256: None,
            blobs=BlobStore(data, bytes_max=bytes_max),
            limiter=RateLimiter(rate or Rate(per_second=1e6, burst=10**6)),
            clock=clock or Clock(),
            outbound=outbound,
            webhook_outbound=outbound,
            data=data,
            runner_is_alive=lambda: True,
            limits=limits or RouteLimits(),
        )
    )


@dataclass
class Clock:
    """Tells the time that it is set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def make_keys(engine: Engine) -> Mapping[AccessRole, str]:
    """A key of every role; the name of its holder is the role's."""
    with writing(engine) as connection:
        return {
            role: issue_key(connection, name=str(role), role=role, now=NOW).secret_text
            for role in AccessRole
        }


def client_of(app: FastAPI, key: str | None = None) -> TestClient:
    """Speaks to `app` with a key."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return TestClient(app, headers=headers)
