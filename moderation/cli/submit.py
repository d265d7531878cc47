"""`moderation submit` and `moderation status`: files to a server, and what became of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moderation.cli.connection import Json, Key, Server, connect

if TYPE_CHECKING:
    from moderation.client import ItemStatus


def submit_command(
    paths: Annotated[list[Path], typer.Argument(help="Files to hand in.", show_default=False)],
    surface: Annotated[str, typer.Option(help="Where they appear.")] = "feed",
    views: Annotated[float, typer.Option(min=0, help="Views still to come, of each.")] = 0.0,
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Upload files to a server. What breaks off goes on where it stopped."""
    facts = {"surface": surface, "reach": views, "remaining_views": views}
    rows = []
    with connect(server, key) as client, _bytes_bar(paths) as advance:
        for path in paths:
            item = client.upload(path, facts=facts, progress=advance(path))
            rows.append({"item": item.id, "file": str(path), "state": str(item.state)})
            if as_json:
                typer.echo(json.dumps(rows[-1]))
    if not as_json:
        from moderation.cli.remote_view import print_table

        print_table(rows, ("item", "file", "state"))


def status_command(
    items: Annotated[
        list[str] | None, typer.Argument(help="Ids. Default: all.", show_default=False)
    ] = None,
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show what became of items."""
    with connect(server, key) as client:
        wanted = items or [item.id for item in client.items()]
        found = [client.status(item_id) for item_id in wanted]
    if as_json:
        for one in found:
            typer.echo(one.model_dump_json())
        return
    from moderation.cli.remote_view import print_table

    columns = ("item", "name", "state", "route", "P(manipulated)", "by", "policy")
    print_table([_row(one) for one in found], columns)


def _row(found: "ItemStatus") -> dict[str, Any]:
    row: dict[str, Any] = {"item": found.id, "name": found.name, "state": found.state}
    route = found.route
    if route is None:
        return row
    action = "" if route.action is None else f" ({route.action})"
    chance = None if route.probability is None else f"{route.probability:.2f}"
    return row | {
        "route": f"{route.disposition}{action}",
        "P(manipulated)": chance,
        "by": "person" if route.is_by_person else "machine",
        "policy": route.policy_id,
    }


def _bytes_bar(paths: list[Path]) -> Any:
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from moderation.cli.text import printable

    @contextmanager
    def shown() -> "Iterator[Callable[[Path], Callable[[int], None]]]":
        console = Console(stderr=True)
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as progress:
            sizes = {path: path.stat().st_size if path.is_file() else 0 for path in paths}
            task = progress.add_task("files", total=sum(sizes.values()))
            before = 0

            def begin(path: Path) -> "Callable[[int], None]":
                nonlocal before
                start = before
                before += sizes[path]
                progress.update(task, description=printable(path.name))
                return lambda there: progress.update(task, completed=start + there)

            yield begin

    return shown()
