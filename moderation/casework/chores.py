"""What has to be done now and then, beside the jobs."""

from datetime import timedelta

from moderation.casework.scoring import ScoringDesk
from moderation.casework.tasks import value
from moderation.database import writing
from moderation.review.arrivals import rerank
from moderation.review.transaction import Transaction

UPLOAD_KEPT = timedelta(hours=24)
_ROWS = 200


def do_chores(desk: ScoringDesk) -> None:
    """Rank anew what has aged, and drop half uploads that nobody goes on with.

    Raises:
        DatabaseBusy: the rest is done next time.
    """
    is_more = True
    while is_more:
        with writing(desk.engine) as connection:
            tx = Transaction(connection, desk.clock(), desk.review_rules)
            is_more = rerank(tx, value, limit=_ROWS) == _ROWS
    desk.blobs.sweep(before=desk.clock() - UPLOAD_KEPT)
