"""`moderation models`: the weights in the cache, and getting them there."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as ProgressBars
from rich.table import Table

from encoders.errors import WeightsError
from encoders.weight_download import Progress, Stage
from encoders.weights import Status, WeightStore

app = typer.Typer(help="Model weights: list, pull, verify.", no_args_is_help=True)

EXIT_FAILED = 1

Names = Annotated[list[str] | None, typer.Argument(help="Artefacts; all if none is named.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use local files only.")]

_COLOURS = {
    Status.VERIFIED: "green",
    Status.PRESENT: "green",
    Status.MISSING: "yellow",
    Status.DAMAGED: "red",
}


def _store(*, offline: bool = False) -> WeightStore:
    from moderation.app import build_weights
    from moderation.settings import Settings

    return build_weights(Settings.load(**({"offline": True} if offline else {})))


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """Show every artefact, its licence and whether it is in the cache."""
    rows = _store().list()
    if as_json:
        fields = ("name", "description", "licence", "size_bytes", "status", "sources")
        values = [{field: getattr(row, field) for field in fields} for row in rows]
        for value, row in zip(values, rows, strict=True):
            value["path"] = str(row.path)
        typer.echo(json.dumps(values, indent=2))
        return
    table = Table("artefact", "what", "licence", "size", "state", box=None)
    for row in rows:
        colour = _COLOURS[row.status]
        table.add_row(
            row.name,
            row.description,
            row.licence,
            decimal(row.size_bytes),
            f"[{colour}]{row.status}[/{colour}]",
        )
    Console().print(table)


@app.command("pull")
def pull_command(names: Names = None, as_json: Json = False, offline: Offline = False) -> None:
    """Fetch, check and convert weights; what the cache has already is left alone."""
    store = _store(offline=offline)
    results: list[dict[str, str]] = []
    errors = Console(stderr=True)
    with ProgressBars(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=errors,
        disable=as_json,
    ) as bars:
        for name in names or store.names:
            task = bars.add_task(name, total=None, note="")

            def show(progress: Progress, task: TaskID = task) -> None:
                total = progress.bytes_total or None
                note = progress.source if progress.stage is Stage.DOWNLOAD else progress.stage
                bars.update(task, completed=progress.bytes_done, total=total, note=note)

            try:
                path = store.pull(name, show)
            except WeightsError as error:
                bars.update(task, note="failed")
                errors.print(f"[red]{name}[/red]: {error}", soft_wrap=True, highlight=False)
                results.append({"name": name, "error": error.code, "message": str(error)})
            else:
                results.append({"name": name, "path": str(path)})
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    if any("error" in result for result in results):
        raise typer.Exit(EXIT_FAILED)


@app.command("verify")
def verify_command(names: Names = None, as_json: Json = False) -> None:
    """Compare every file with its pinned SHA-256; exit 1 unless all are whole."""
    store = _store()
    try:
        states = {name: store.verify(name) for name in names or store.names}
    except WeightsError as error:
        Console(stderr=True).print(str(error), soft_wrap=True, highlight=False, style="red")
        raise typer.Exit(EXIT_FAILED) from error
    if as_json:
        typer.echo(json.dumps(states, indent=2))
    else:
        console = Console()
        for name, state in states.items():
            console.print(f"{name}: [{_COLOURS[state]}]{state}[/{_COLOURS[state]}]")
    if any(state is not Status.VERIFIED for state in states.values()):
        raise typer.Exit(EXIT_FAILED)
