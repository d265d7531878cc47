"""Works jobs off in this process, until it is told to stop."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from moderation.casework.chores import do_chores, drop_uploads
from moderation.casework.explaining import claim_explanation, explain
from moderation.casework.scoring import ScoringDesk, claim_batch, work_batch
from moderation.database import writing
from moderation.errors import TransientError
from moderation.intake.jobs import renew_jobs
from moderation.intake.types import Job

_log = logging.getLogger(__name__)


def work_off(desk: ScoringDesk, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Work until nothing is due, in the caller's thread; how many jobs were ended.

    Raises:
        DatabaseBusy: the database does not answer.
    """
    ended = 0
    while not is_stopping() and (jobs := claim_batch(desk)):
        with renewing(desk, jobs):
            ended += work_batch(desk, jobs, is_stopping=is_stopping)
    return ended


def explain_next(desk: ScoringDesk) -> bool:
    """Explain one item that waits for a person; False where there is none.

    Raises:
        DatabaseBusy: the database does not answer.
    """
    jobs = claim_explanation(desk)
    for job in jobs:
        with renewing(desk, [job]):
            explain(desk, job)
    return bool(jobs)


@contextmanager
def renewing(desk: ScoringDesk, jobs: Sequence[Job]) -> Iterator[None]:
    """Hold the leases of `jobs` for as long as this lasts, however long one file takes."""
    is_over = threading.Event()
    seconds = desk.job_rules.lease.total_seconds() / 3

    def renew() -> None:
        while not is_over.wait(seconds):
            try:
                with writing(desk.engine) as connection:
                    renew_jobs(connection, jobs, now=desk.clock(), rules=desk.job_rules)
            except TransientError as error:
                _log.warning("leases were not renewed: %s", error)

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class InlineRunner:
    """A thread that works jobs off. `ring` says that there may be work; without it, it looks.

    poll_seconds: how long it sleeps where there is nothing to do. A context manager.
    """

    def __init__(self, desk: ScoringDesk, *, poll_seconds: float = 2.0) -> None:
        self._desk = desk
        self._poll_seconds = poll_seconds
        self._bell = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runner")
        self.last_error: Exception | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it works, or waits for work."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ring(self) -> None:
        """There may be something to do."""
        self._bell.set()

    def stop(self) -> None:
        """End after the file that is being scored; jobs that were not begun are put back."""
        self._is_stopping.set()
        self._bell.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            self._bell.clear()
            try:
                self._work()
                desk = self._desk
                do_chores(desk.engine, desk.review_rules, desk.clock())
                drop_uploads(desk.blobs, desk.clock())
                self.last_error = None
            except Exception as error:
                # A runner that dies takes every later upload with it; what it held comes back
                # when its leases run out.
                self.last_error = error
                _log.exception("the runner could not work")
            self._bell.wait(self._poll_seconds)

    def _work(self) -> None:
        """New uploads come first, again after each explanation."""
        work_off(self._desk, is_stopping=self._is_stopping.is_set)
        while not self._is_stopping.is_set() and explain_next(self._desk):
            work_off(self._desk, is_stopping=self._is_stopping.is_set)

    def __enter__(self) -> "InlineRunner":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
