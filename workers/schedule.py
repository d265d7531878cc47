"""What beat sends, and how often. All of it is safe to repeat, so two beats do no harm."""

from datetime import timedelta
from typing import Any

from moderation.settings import Settings
from workers.queues import Queue

SWEEP = "sweep"
CHORES = "chores"
PERIODS = {SWEEP: timedelta(seconds=5), CHORES: timedelta(seconds=30)}


def schedule(_settings: Settings) -> dict[str, Any]:
    """Celery's beat schedule. A message that nobody takes is void when the next one comes."""
    return {
        name: {
            "task": name,
            "schedule": period,
            "options": {"queue": str(Queue.MAINTENANCE), "expires": period.total_seconds()},
        }
        for name, period in PERIODS.items()
    }
