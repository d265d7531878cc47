"""The tasks: a message says that there is work, the database says which."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from celery import Celery

from moderation.errors import TransientError
from workers.bells import ring
from workers.heartbeat import Heart
from workers.processes import Due, PoolProcess
from workers.queues import Queue
from workers.record_keeping import RecordKeeping
from workers.schedule import (
    CHECK_CALIBRATION,
    CHORES,
    DROP_UPLOADS,
    ERASE,
    EXPORT_STATEMENTS,
    SWEEP,
)

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Tasks:
    """Each is safe to repeat: what is done already is not due. heart: set where the pool forks."""

    app: Celery
    process: PoolProcess
    records: RecordKeeping
    heart: Heart | None = field(default=None)

    def register(self) -> None:
        """Give the application its tasks."""
        self.app.task(self.score, name=str(Queue.SCORE))
        self.app.task(self.sweep, name=SWEEP)
        self.app.task(self.chores, name=CHORES)
        self.app.task(self.explain, name=str(Queue.EXPLAIN))
        self.app.task(self.drop_uploads, name=DROP_UPLOADS)
        self.app.task(self.check_calibration, name=CHECK_CALIBRATION)
        self.app.task(self.erase, name=ERASE)
        self.app.task(self.export_statements, name=EXPORT_STATEMENTS)

    def score(self, sha256: str, judge_id: str, policy_id: str) -> None:
        """Take the next batch of score jobs, which may hold this content or not."""
        _log.debug("score: rung for %s, %s, %s", sha256, judge_id, policy_id)
        self._ring(self._work(self.process.score_batch), judge_id, policy_id)

    def explain(self, sha256: str, judge_id: str, policy_id: str) -> None:
        """Explain the next item that waits for a person, of this content or of another."""
        _log.debug("explain: rung for %s, %s, %s", sha256, judge_id, policy_id)
        self._ring(self._work(self.process.explain_next), judge_id, policy_id)

    def drop_uploads(self) -> None:
        """Half uploads that nobody goes on with."""
        self._work(self.process.drop_uploads)

    def sweep(self) -> None:
        """Ring again for what nobody has heard of."""
        self._work(self.process.sweep, self.app)

    def chores(self) -> None:
        """What ages and runs out."""
        self._work(self.process.do_chores)

    def check_calibration(self) -> None:
        """Whether the calibrator still holds."""
        self._work(self.records.check_calibration)

    def erase(self) -> None:
        """What retention makes due."""
        self._work(self.records.erase)

    def export_statements(self) -> None:
        """Statements of reasons that nobody has yet."""
        self._work(self.records.export_statements)

    def _ring(self, due: Due | None, judge_id: str, policy_id: str) -> None:
        """To the back of the queue, so that bells of other work come between."""
        if due is None:
            return
        for queue, contents in ((Queue.SCORE, due.scores), (Queue.EXPLAIN, due.explanations)):
            for sha256 in contents:
                ring(self.app, queue, sha256, judge_id, policy_id)

    def _work(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | None:
        with self.heart.working() if self.heart is not None else nullcontext():
            try:
                return work(*arguments, **options)
            except TransientError as error:
                # The jobs are where they were: the sweeper rings again, and beat sends again.
                _log.warning("tried again at the next bell: %s", error)
                return None
