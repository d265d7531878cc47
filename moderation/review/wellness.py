"""When a reviewer may go on: pauses, and the daily share of harmful media; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from moderation.review.types import Wellness

DAY = timedelta(hours=24)
Stretch = tuple[datetime, datetime]


def break_ends_at(settings: Wellness, work: Sequence[Stretch], now: datetime) -> datetime | None:
    """The end of a pause that is due at `now`; None when none is.

    work: stretches with a task in hand, (from, until), in any order. Those without a pause of
    `break_minutes` between them are one.
    """
    pause = timedelta(minutes=settings.break_minutes)
    begun: datetime | None = None
    last: datetime | None = None
    for start, end in sorted(work):
        if begun is None or last is None or start - last >= pause:
            begun, last = start, end
        last = max(last, end)
    if begun is None or last is None:
        return None
    resumes_at = last + pause
    is_due = last - begun >= timedelta(minutes=settings.work_minutes) and now < resumes_at
    return resumes_at if is_due else None


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
