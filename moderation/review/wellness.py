"""When a reviewer may go on: pauses, and the daily share of harmful media; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from moderation.review.types import Wellness

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Work:
    """A stretch of work without a pause: when it began, and when something last happened in it."""

    began_at: datetime
    last_at: datetime

    def seen_at(self, now: datetime) -> "Work":
        """The same for a clock that may have been set back since."""
        last_at = min(self.last_at, now)
        return Work(min(self.began_at, last_at), last_at)


def break_ends_at(settings: Wellness, work: Work, now: datetime) -> datetime | None:
    """The end of a pause that is due at `now`; None when none is."""
    resumes_at = work.last_at + timedelta(minutes=settings.break_minutes)
    is_long = work.last_at - work.began_at >= timedelta(minutes=settings.work_minutes)
    return resumes_at if is_long and now < resumes_at else None


def go_on(settings: Wellness, work: Work | None, now: datetime) -> Work:
    """The work that somebody is at who takes a task at `now`; it starts anew after a pause."""
    if work is None or now - work.last_at >= timedelta(minutes=settings.break_minutes):
        return Work(now, now)
    return Work(work.began_at, now)


def cap_ends_at(settings: Wellness, reached_at: datetime | None, now: datetime) -> datetime | None:
    """When the last 24 hours will hold fewer harmful tasks than allowed; None when they do.

    reached_at: when the `harmful_daily_max`-th newest of them was shown; None: there are fewer.
    """
    if settings.harmful_daily_max == 0:
        return now + DAY
    if reached_at is None:
        return None
    # A time ahead of `now` is of a clock that was set back since: it counts as now.
    resumes_at = min(reached_at, now) + DAY
    return resumes_at if now < resumes_at else None
