"""A pool for scores whose broker hands messages out again after a second, as nobody would have it.

`python -m tests.contract.workers.impatient_broker`
"""

import sys
from typing import Any
from unittest.mock import patch

from moderation.settings import Settings
from workers import app, pools
from workers.queues import Queue

VISIBILITY_SECONDS = 1


def main() -> None:
    usual = app.transport_options

    def impatient(settings: Settings) -> dict[str, Any]:
        short = {"visibility_timeout": VISIBILITY_SECONDS, "unacked_restore_interval": 1}
        return usual(settings) | short

    with patch.object(app, "transport_options", impatient):
        sys.exit(pools.run_pool(Settings.load(), Queue.SCORE))


if __name__ == "__main__":
    main()
