"""The service in one process: the API, what delivers webhooks, and without a broker what scores."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from moderation.access.rate_limit import Rate, RateLimiter
from moderation.api.application import create_app
from moderation.casework.adoption import adopt
from moderation.casework.announcing import announce_routes
from moderation.casework.deployment import Deployment
from moderation.casework.following import follow
from moderation.casework.running import InlineRunner
from moderation.casework.scoring import utc_now
from moderation.database import reading, writing
from moderation.errors import TransientError
from moderation.outbound.client import OutboundClient
from moderation.policy.activation import active_policy, begin_with
from moderation.policy.loading import DEFAULT
from moderation.ports import Bell, Dispatcher
from moderation.route_services import RouteLimits, RouteServices
from moderation.service import (
    build_blobs,
    build_deployment,
    build_review_rules,
    build_scoring_desk,
)
from moderation.settings import Settings
from moderation.webhooks.sending import send_next

if TYPE_CHECKING:
    from fastapi import FastAPI

_log = logging.getLogger(__name__)
WEBHOOK_SECONDS, FETCH_SECONDS = 15.0, 60.0


@dataclass(slots=True)
class _Worker:
    """Scores under the policy in force; another policy has it begin anew.

    bell: of workers elsewhere, which score then instead of this process.
    """

    settings: Settings
    engine: Engine
    dispatcher: Dispatcher | None
    bell: Bell | None
    deployment: Deployment
    number: int
    runner: InlineRunner | None = None
    is_adopted: bool = False

    def is_alive(self) -> bool:
        return self.dispatcher is None or (self.runner is not None and self.runner.is_alive)

    def ring(self, sha256: str) -> None:
        """There is something to do."""
        if self.bell is not None:
            self.bell.ring(sha256, self.deployment.judge_id, self.deployment.live.id)
        elif self.runner is not None:
            self.runner.ring()

    def follow_policy(self) -> None:
        """Take up a policy that has come into force since."""
        with reading(self.engine) as connection:
            found = active_policy(connection)
        if self.is_alive() and found.number == self.number and self.is_adopted:
            return
        self.stop()
        self.number = found.number
        self.deployment = replace(self.deployment, live=found.policy)
        adopt(self.engine, self.deployment, now=utc_now(), actor="system:serve")
        self.is_adopted = True
        if self.dispatcher is None:
            return
        desk = build_scoring_desk(self.settings, self.engine, self.dispatcher, self.deployment)
        self.runner = InlineRunner(desk)
        self.runner.start()

    def stop(self) -> None:
        if self.runner is not None:
            self.runner.stop()
            self.runner = None


def serving(
    settings: Settings, engine: Engine, dispatcher: Dispatcher | None, bell: Bell | None = None
) -> "FastAPI":
    """The application; what runs beside it begins and ends with it.

    dispatcher: scores in this process; None: workers elsewhere do, whom `bell` tells of uploads.

    Raises:
        ConfigurationError: settings that cannot work together.
    """
    content = (settings.policy or DEFAULT).read_text(encoding="utf-8")
    with writing(engine) as connection:
        present = begin_with(connection, content, now=utc_now())
    deployment = replace(build_deployment(settings, dispatcher), live=present.policy)
    worker = _Worker(settings, engine, dispatcher, bell, deployment, present.number)
    webhooks = OutboundClient(total_seconds=WEBHOOK_SECONDS, redirects_max=0)
    services = RouteServices(
        engine=engine,
        rules=build_review_rules(settings),
        follow=lambda tx, events, actor: follow(
            tx, events, namespace=deployment.namespace, actor=actor
        ),
        deployment=lambda: worker.deployment,
        ring=worker.ring,
        blobs=build_blobs(settings),
        limiter=RateLimiter(Rate(settings.requests_a_second, settings.requests_at_once)),
        clock=utc_now,
        outbound=OutboundClient(total_seconds=FETCH_SECONDS),
        webhook_outbound=webhooks,
        data=settings.data_dir,
        runner_is_alive=worker.is_alive,
        limits=RouteLimits(
            allow_fetch=settings.allow_fetch,
            capacity_minutes=settings.review_minutes_an_hour,
        ),
    )
    return create_app(services, running=partial(_running, worker, engine, webhooks))


@contextmanager
def _running(worker: _Worker, engine: Engine, webhooks: OutboundClient) -> Iterator[None]:
    is_over = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(is_over, 1.0, turn), name=name)
        for name, turn in (
            ("policy", worker.follow_policy),
            ("webhooks", lambda: _deliver(engine, webhooks, is_over)),
        )
    ]
    worker.follow_policy()
    try:
        for thread in threads:
            thread.start()
        yield
    finally:
        is_over.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        worker.stop()


def _deliver(engine: Engine, webhooks: OutboundClient, is_over: threading.Event) -> None:
    while not is_over.is_set() and announce_routes(engine, utc_now()):
        pass
    while not is_over.is_set() and send_next(engine, webhooks, utc_now()) is not None:
        pass


def _repeat(is_over: threading.Event, seconds: float, turn: Callable[[], None]) -> None:
    while not is_over.wait(seconds):
        try:
            turn()
        except TransientError as error:
            _log.warning("tried again soon: %s", error)
        except Exception:
            # A thread that dies would leave its work undone without a word.
            _log.exception("this turn failed; the next one tries again")
