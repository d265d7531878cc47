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


def do_chores(engine: Engine, rules: ReviewRules, now: datetime) -> None:
    """Rank anew what has aged, and take back what reviewers let run out.

    Raises:
        DatabaseBusy: the rest is done next time.
    """
    is_more = True
    while is_more:
        with writing(engine) as connection:
            tx = Transaction(connection, now, rules)
            is_more = expire(tx, limit=_ROWS) == _ROWS or rerank(tx, value, limit=_ROWS) == _ROWS


def drop_uploads(blobs: BlobStore, now: datetime) -> None:
    """Drop half uploads that nobody goes on with."""
    blobs.sweep(before=now - UPLOAD_KEPT)
