"""`moderation up`: the whole service on one machine."""

from pathlib import Path
from typing import Annotated, Any

import typer


def up_command(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8321,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder for uploads, the database and Redis. Default: MODERATION_DATA_DIR.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start Redis, a worker for each queue, beat and the API; Ctrl-C or SIGTERM ends all of them.

    Redis is started at a free port of this machine, unless MODERATION_BROKER_URL names one. Where
    a part ends by itself, the others are stopped too.
    """
    from moderation.app import build_engine
    from moderation.extras import require_installed
    from moderation.settings import Settings

    require_installed("celery", "redis", "fastapi", "uvicorn")
    from workers.queues import Queue
    from workers.redis_server import redis_part
    from workers.stack import command_part, pool_part, run_parts

    overrides: dict[str, Any] = {} if data is None else {"data_dir": data.absolute()}
    settings = Settings.load(**overrides)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    build_engine(settings).dispose()  # one process makes the schema, before all others look
    shared = {
        "MODERATION_DATA_DIR": str(settings.data_dir),
        "MODERATION_DATABASE_URL": settings.database_url,
    }
    parts = []
    if settings.broker_url is None:
        redis, shared["MODERATION_BROKER_URL"] = redis_part(settings.data_dir / "redis")
        parts.append(redis)
    parts += [pool_part(queue) for queue in Queue]
    parts.append(command_part("beat", "beat"))
    parts.append(command_part("api", "serve", "--host", host, "--port", str(port)))
    stop_seconds = settings.stop_seconds_max + 10
    raise typer.Exit(run_parts(parts, stop_seconds=stop_seconds, environment=shared))
