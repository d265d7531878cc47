"""Ringing: a message that there is work. None is ever waited for, and each may be lost."""

import logging
import queue
import threading
from types import TracebackType
from typing import Any, Self

from celery import Celery
from kombu.exceptions import OperationalError

from moderation.settings import Settings
from workers.app import make_app
from workers.queues import Queue

_log = logging.getLogger(__name__)
WAITING_MAX = 10_000
CLOSE_SECONDS = 3.0
_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}


def ring(app: Celery, to: Queue, sha256: str, judge_id: str, policy_id: str) -> bool:
    """Send one message, with what the work is keyed on; False where the broker is not there."""
    facts = {"sha256": sha256, "judge_id": judge_id, "policy_id": policy_id}
    try:
        # Once more, since a connection that was kept may have been cut meanwhile.
        app.send_task(to, kwargs=facts, queue=to, retry=True, retry_policy=_ONCE_MORE)
    except (OperationalError, OSError) as error:
        _log.warning("the broker does not answer, the sweeper rings again: %s", error)
        return False
    return True


class CeleryBell:
    """See `moderation.ports.Bell`: a thread sends what `ring` leaves with it."""

    def __init__(self, settings: Settings) -> None:
        self._app = make_app(settings)
        self._waiting: queue.Queue[tuple[str, str, str] | None] = queue.Queue(WAITING_MAX)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="bell", daemon=True)

    def ring(self, sha256: str, judge_id: str, policy_id: str) -> None:
        """See `moderation.ports.Bell`. With a broker that is down, bells beyond many are lost."""
        try:
            self._waiting.put_nowait((sha256, judge_id, policy_id))
        except queue.Full:
            _log.warning("a bell for %s is lost; the sweeper rings again", sha256)

    def _send_all(self) -> None:
        while (facts := self._waiting.get()) is not None and not self._is_over.is_set():
            try:
                ring(self._app, Queue.SCORE, *facts)
            except Exception:
                # A bell that dies would delay every later upload until the sweeper comes.
                _log.exception("a bell was not rung")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._is_over.set()
        self._thread.join(CLOSE_SECONDS)
        self._is_over.set()
        self._app.close()


def waiting_bells(app: Celery, at: Queue) -> int:
    """Messages that nobody has taken up yet.

    Raises:
        OperationalError: the broker does not answer.
    """
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        channel: Any = connection.default_channel
        return int(channel.queue_declare(at, passive=False, durable=True).message_count)
