"""`moderation beat`: sends the maintenance tasks when they are due."""


def beat_command() -> None:
    """Send the maintenance tasks when they are due, until told to stop.

    One in a deployment is enough; two do no harm, and none leaves what the broker lost undone.
    """
    from moderation.extras import require_installed
    from moderation.settings import Settings

    require_installed("celery", "redis")
    from workers.pools import run_beat

    run_beat(Settings.load())
