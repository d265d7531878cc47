"""What has to be done now and then, beside the jobs."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from moderation.casework.tasks import value
from moderation.database import writing
from moderation.intake.blobs import BlobStore
from moderation.review.arrivals import rerank
from moderation.review.leases import expire
from moderation.review.rules import ReviewRules
from moderation.review.transaction import Transaction

UPLOAD_KEPT = timedelta(hours=24)
_ROWS = 200


def do_chores(engine: Engine, rules: ReviewRules, blobs: BlobStore, now: datetime) -> None:
    """Rank anew what has aged, take back what reviewers let run out, drop abandoned uploads.

    Raises:
        DatabaseBusy: the rest is done next time.
    """
    is_more = True
    while is_more:
        with writing(engine) as connection:
            tx = Transaction(connection, now, rules)
            is_more = expire(tx, limit=_ROWS) == _ROWS or rerank(tx, value, limit=_ROWS) == _ROWS
    blobs.sweep(before=now - UPLOAD_KEPT)
