"""The queues, by what their work costs."""

from enum import StrEnum

from moderation.intake.types import JobKind


class Queue(StrEnum):
    """Names in the broker. A pool works one of them, so that cheap work never waits for dear."""

    INGEST = "ingest"
    SCORE = "score"
    EXPLAIN = "explain"
    MAINTENANCE = "maintenance"
    BATCH = "batch"


QUEUE_OF = {JobKind.SCORE: Queue.SCORE, JobKind.EXPLAIN: Queue.EXPLAIN}
"""Where the bell for each kind of job rings."""

LOADS_MODELS = frozenset({Queue.SCORE, Queue.EXPLAIN, Queue.BATCH})
"""One process is the default there: each holds the models in memory of its own."""
