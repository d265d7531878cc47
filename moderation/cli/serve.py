"""`moderation serve`: the API and the database in one process, and what scores, without workers."""

from pathlib import Path
from typing import Annotated, Any

import typer


def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8321,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder for uploads and the database. Default: MODERATION_DATA_DIR.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve the API until it is told to stop; needs no further service.

    It scores by itself, unless MODERATION_BROKER_URL names a broker: then workers do, which
    `moderation worker` starts, and no judge is loaded here. The first start makes the folder and
    the database. SIGTERM or Ctrl-C end it in order: requests are answered, the file that is being
    scored is finished, and what was not begun is put back.
    """
    from contextlib import nullcontext

    from moderation.app import build_engine
    from moderation.extras import require_installed
    from moderation.service import build_bell, build_upload_dispatcher
    from moderation.settings import Settings

    require_installed("fastapi", "httpx", "prometheus_client", "uvicorn")
    from moderation.api.listening import listen
    from moderation.api.serving import serving
    from moderation.telemetry.exposition import exposed
    from moderation.telemetry.logs import log_to_stderr
    from moderation.telemetry.tracing import exporting
    from moderation.web.application import add_console

    overrides: dict[str, Any] = {} if data is None else {"data_dir": data.absolute()}
    settings = Settings.load(**overrides)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = build_engine(settings)
    log_to_stderr(settings.log_format)
    try:
        bell = build_bell(settings)
        scoring = build_upload_dispatcher(settings) if bell is None else nullcontext()
        with exporting("moderation-serve"), scoring as dispatcher, bell or nullcontext():
            app = serving(settings, engine, dispatcher, bell)
            add_console(app, app.state.services)
            typer.echo(f"data in {settings.data_dir}; listening at http://{host}:{port}", err=True)
            _say_how_to_begin(engine)
            shown = settings.metrics_port
            with exposed(app.state.registry, shown) if shown else nullcontext():
                listen(app, host, port)
    finally:
        engine.dispose()


def _say_how_to_begin(engine: Any) -> None:
    from moderation.access.keys import list_keys
    from moderation.database import reading

    with reading(engine) as connection:
        has_keys = bool(list_keys(connection))
    if not has_keys:
        typer.echo(
            "There is no key yet. Make one: moderation keys create --role admin --name NAME",
            err=True,
        )
