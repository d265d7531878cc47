"""What beat sends, and how often. All of it is safe to repeat, so two beats do no harm."""

from datetime import timedelta
from typing import Any

from moderation.settings import Settings
from workers.queues import Queue

SWEEP = "sweep"
CHORES = "chores"
DROP_UPLOADS = "drop_uploads"
CHECK_CALIBRATION = "check_calibration"
ERASE = "erase"
EXPORT_STATEMENTS = "export_statements"
BEATS = {
    CHORES: (Queue.MAINTENANCE, timedelta(seconds=30)),
    DROP_UPLOADS: (Queue.INGEST, timedelta(minutes=10)),
    CHECK_CALIBRATION: (Queue.MAINTENANCE, timedelta(hours=6)),
    ERASE: (Queue.MAINTENANCE, timedelta(hours=1)),
    EXPORT_STATEMENTS: (Queue.MAINTENANCE, timedelta(hours=1)),
}


def schedule(settings: Settings) -> dict[str, Any]:
    """Celery's beat schedule. A message that nobody takes is void when the next one comes."""
    sweep = {SWEEP: (Queue.MAINTENANCE, timedelta(seconds=settings.sweep_seconds))}
    return {
        name: {
            "task": name,
            "schedule": period,
            "options": {"queue": str(queue), "expires": period.total_seconds()},
        }
        for name, (queue, period) in (sweep | BEATS).items()
    }
