"""What a pool process works with, opened at its first task and kept until it ends."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from celery import Celery
from sqlalchemy import Engine

from moderation.app import build_engine
from moderation.casework.adoption import adopt
from moderation.casework.chores import do_chores, drop_uploads
from moderation.casework.deployment import Deployment
from moderation.casework.running import explain_next, renewing
from moderation.casework.scoring import ScoringDesk, claim_batch, utc_now, work_batch
from moderation.database import reading
from moderation.intake.jobs import due_contents
from moderation.intake.types import JobKind
from moderation.policy.activation import active_policy
from moderation.ports import Dispatcher
from moderation.service import (
    build_blobs,
    build_context,
    build_deployment,
    build_review_rules,
    build_scoring_desk,
    build_upload_dispatcher,
)
from moderation.settings import Settings
from workers.batching import ArrivalRate, wait_seconds
from workers.sweeper import sweep

_log = logging.getLogger(__name__)


def worker_name() -> str:
    """Who holds the leases of this process: machine and process, as the table keeps it."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Due:
    """SHA-256 of content that is due after a task, as far as it is worth a bell."""

    scores: Sequence[str] = ()
    explanations: Sequence[str] = ()


class PoolProcess:
    """Works batches off. Made before the pool forks, so it opens nothing until it is asked to.

    is_stopping: whether the pool is to end.
    """

    def __init__(self, settings: Settings, is_stopping: Callable[[], bool]) -> None:
        self.settings = settings
        self.is_stopping = is_stopping
        self._rate = ArrivalRate()
        self._desk: ScoringDesk | None = None
        self._policy_number = -1

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return build_engine(self.settings)

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        _log.info("loading what scores")
        return build_upload_dispatcher(self.settings)

    @cached_property
    def _deployment(self) -> Deployment:
        """Under the policy of the settings; `desk` has the one in force."""
        return build_deployment(self.settings, self._dispatcher)

    def desk(self) -> ScoringDesk:
        """For scoring under the policy that is in force now.

        Raises:
            ConfigurationError: settings that cannot work.
            DatabaseBusy: the database does not answer.
        """
        with reading(self.engine) as connection:
            found = active_policy(connection)
        if self._desk is None or found.number != self._policy_number:
            deployment = replace(self._deployment, live=found.policy)
            adopt(self.engine, deployment, now=utc_now(), actor="system:worker")
            self._desk = build_scoring_desk(
                self.settings, self.engine, self._dispatcher, deployment, worker=worker_name()
            )
            self._policy_number = found.number
        return self._desk

    def score_batch(self) -> Due:
        """Work one batch of score jobs off; what is due by then.

        Raises:
            TransientError: nothing was claimed, or leases run out by themselves.
        """
        if self.is_stopping() or not self._due(JobKind.SCORE):
            return Due()
        desk = self.desk()
        self._wait_for_more(desk)
        jobs = claim_batch(desk)
        if jobs:
            self._rate.note(len(jobs), time.monotonic())
            with renewing(desk, jobs):
                work_batch(desk, jobs, is_stopping=self.is_stopping)
        return Due(
            self._due(JobKind.SCORE),
            self._due(JobKind.EXPLAIN, self.settings.batch_items_max),
        )

    def explain_next(self) -> Due:
        """Explain one item that waits for a person; what is due by then.

        Raises:
            TransientError: see `score_batch`.
        """
        if self.is_stopping() or not self._due(JobKind.EXPLAIN):
            return Due()
        explain_next(self.desk())
        return Due(explanations=self._due(JobKind.EXPLAIN))

    def sweep(self, app: Celery) -> int:
        """See `workers.sweeper.sweep`; loads no model."""
        with reading(self.engine) as connection:
            policy_id = active_policy(connection).policy.id
        return sweep(
            app,
            self.engine,
            judge_id=self._judge_id,
            policy_id=policy_id,
            batch_items_max=self.settings.batch_items_max,
        )

    def do_chores(self) -> None:
        """See `moderation.casework.chores.do_chores`; loads no model."""
        do_chores(self.engine, build_review_rules(self.settings), utc_now())

    def drop_uploads(self) -> None:
        """Drop half uploads that nobody goes on with."""
        drop_uploads(build_blobs(self.settings), utc_now())

    @cached_property
    def _judge_id(self) -> str:
        return build_context(self.settings, self.settings.mode).judge_id

    def _due(self, kind: JobKind, limit: int = 1) -> Sequence[str]:
        with reading(self.engine) as connection:
            return due_contents(connection, kind, now=utc_now(), limit=limit)

    def _wait_for_more(self, desk: ScoringDesk) -> None:
        seconds = wait_seconds(
            len(self._due(JobKind.SCORE, desk.batch_max)),
            items_max=desk.batch_max,
            wait_seconds_max=self.settings.batch_wait_seconds,
            items_per_second=self._rate.items_per_second,
        )
        if seconds > 0:
            threading.Event().wait(seconds)

    def close(self) -> None:
        """End decoder children and connections."""
        for name in ("_dispatcher", "engine"):
            opened = self.__dict__.pop(name, None)
            if isinstance(opened, Engine):
                opened.dispose()
            elif opened is not None:
                opened.__exit__(None, None, None)
