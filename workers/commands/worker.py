"""`moderation worker`: pools of processes that work queues off, and whether they are well."""

import json
from typing import Annotated, Any

import typer

app = typer.Typer(help="Work queues off.")
_ALL = "ingest,score,explain,maintenance,batch"
Queues = Annotated[str, typer.Option(help=f"Parted by commas, some of {_ALL}.")]


@app.callback(invoke_without_command=True)
def worker_command(
    context: typer.Context,
    queues: Queues = _ALL,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes of each pool. Default: one for score, explain and batch, which load "
            "models.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Work queues off until told to stop: a pool of processes for each queue.

    SIGTERM or Ctrl-C end it in order: the file in hand is finished, the rest is put back.
    """
    if context.invoked_subcommand is not None:
        return
    from moderation.extras import require_installed
    from moderation.settings import Settings

    require_installed("celery", "redis")
    wanted, settings = _queues(queues), Settings.load()
    if len(wanted) == 1:
        from workers.pools import run_pool

        raise typer.Exit(run_pool(settings, wanted[0], concurrency=concurrency))
    from workers.stack import pool_part, run_parts

    parts = [pool_part(queue, concurrency) for queue in wanted]
    raise typer.Exit(run_parts(parts, stop_seconds=settings.stop_seconds_max + 10))


@app.command("health")
def health_command(
    queues: Queues = "",
    age: Annotated[
        float, typer.Option(min=1, help="Seconds after which a silent process counts as ill.")
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Exit 0 where each queue has a process on this machine that lives and gets on, and 1 if not.

    The processes say so themselves, in MODERATION_RUN_DIR: a parent that answers says nothing of
    its children. Default: the queues that ever said something there.
    """
    from moderation.cli.exit_codes import ExitCode
    from moderation.settings import Settings
    from workers.heartbeat import heartbeats

    settings = Settings.load()
    found = heartbeats(settings.run_dir)
    well = {
        one.queue
        for one in found
        if one.is_well(age_seconds_max=age, task_seconds_max=settings.task_seconds_max + age)
    }
    wanted = {str(one) for one in _queues(queues)} if queues else {one.queue for one in found}
    rows: list[dict[str, Any]] = [
        {
            "queue": one.queue,
            "process": one.pid,
            "age_seconds": round(one.age_seconds, 1),
            "busy_seconds": round(one.busy_seconds, 1),
        }
        for one in found
        if one.queue in wanted
    ]
    ill = sorted(wanted - well)
    if as_json:
        typer.echo(json.dumps({"is_well": bool(wanted) and not ill, "ill": ill, "processes": rows}))
    else:
        from moderation.cli.remote_view import print_table

        print_table(rows, ("queue", "process", "age_seconds", "busy_seconds"))
        typer.echo(f"ill: {', '.join(ill)}" if ill else "well" if wanted else "no process")
    if ill or not wanted:
        raise typer.Exit(ExitCode.UNFIT)


def _queues(text: str) -> list[Any]:
    from moderation.errors import ConfigurationError
    from workers.queues import Queue

    try:
        return [Queue(name.strip()) for name in dict.fromkeys(text.split(","))]
    except ValueError as error:
        raise ConfigurationError(
            f"--queues is {text[:80]!r}",
            expected=f"some of {', '.join(Queue)}",
            remedy="Correct --queues.",
        ) from error
