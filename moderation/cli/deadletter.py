"""`moderation deadletter list|show|retry`: jobs that ended without a result."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from moderation.intake.types import Job

app = typer.Typer(
    help="Jobs that ended without a result; their items are in review.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
JobId = Annotated[str, typer.Argument(help="Id of a job, as `list` shows it.", metavar="JOB")]


@app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Jobs that are shown.")] = 50,
    as_json: Json = False,
) -> None:
    """List dead jobs, the one that has been dead for longest first."""
    from moderation.database import reading
    from moderation.intake.listings import dead_jobs

    with reading(_engine()) as connection:
        rows = [_row(job) for job in dead_jobs(connection, limit=limit)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from moderation.cli.remote_view import print_table

    print_table(rows, ("job", "kind", "item", "deliveries", "error", "died"))


@app.command("show")
def show_command(job: JobId, as_json: Json = False) -> None:
    """Show one dead job, with its error and what was to be done."""
    from moderation.casework.deadletters import find_dead
    from moderation.database import reading

    with reading(_engine()) as connection:
        found, item = find_dead(connection, job)
    facts = _row(found) | {"sha256": item.sha256, "name": item.declared_name}
    if found.error is not None:
        facts |= {
            "found": found.error.found,
            "expected": found.error.expected,
            "remedy": found.error.remedy,
        }
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    from moderation.cli.remote_view import print_table

    print_table([{"": name, "value": value} for name, value in facts.items()], ("", "value"))


@app.command("retry")
def retry_command(
    jobs: Annotated[list[str], typer.Argument(help="Ids of jobs.", metavar="JOB...")],
    as_json: Json = False,
) -> None:
    """Put dead jobs back, with their deliveries counted anew. Told in the audit trail.

    What comes of it is kept for the reviewer; an item keeps the route that it has.
    """
    from datetime import UTC, datetime

    from moderation.casework.deadletters import retry
    from moderation.database import writing

    engine = _engine()
    for job in jobs:
        with writing(engine) as connection:
            again = retry(connection, job, actor="admin:command-line", now=datetime.now(UTC))
        typer.echo(json.dumps(_row(again)) if as_json else f"job {again.id} waits again")


def _row(job: "Job") -> dict[str, Any]:
    return {
        "job": job.id,
        "kind": str(job.kind),
        "mode": str(job.mode),
        "item": job.item_id,
        "deliveries": job.deliveries,
        "error": None if job.error is None else job.error.code,
        "died": job.closed_at and job.closed_at.isoformat(timespec="seconds"),
    }


def _engine() -> "Engine":
    from moderation.app import build_engine
    from moderation.settings import Settings

    return build_engine(Settings.load())
