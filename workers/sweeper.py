"""Rings again for what is due and nobody has heard of: after a flush, a crash, or a pause."""

import logging
import math

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import Engine

from moderation.casework.scoring import utc_now
from moderation.database import reading
from moderation.intake.jobs import due_contents
from workers.bells import ring, waiting_bells
from workers.queues import QUEUE_OF

_log = logging.getLogger(__name__)
BELLS_MAX = 200


def sweep(
    app: Celery, engine: Engine, *, judge_id: str, policy_id: str, batch_items_max: int
) -> int:
    """Ring once a batch for due jobs, less the bells that wait in the broker; how many times.

    What is due is what a worker could claim now: never begun, put off until now, or held by a
    worker whose lease ran out.

    Raises:
        DatabaseBusy: nothing was rung; the next sweep does it.
    """
    rung = 0
    for kind, queue in QUEUE_OF.items():
        limit = BELLS_MAX * batch_items_max
        with reading(engine) as connection:
            due = due_contents(connection, kind, now=utc_now(), limit=limit)
        if not due:
            continue
        try:
            absent = math.ceil(len(due) / batch_items_max) - waiting_bells(app, queue)
        except (OperationalError, OSError) as error:
            _log.warning("the broker does not answer: %s", error)
            return rung
        for sha256 in due[::batch_items_max][: max(absent, 0)]:
            rung += ring(app, queue, sha256, judge_id, policy_id)
    return rung
