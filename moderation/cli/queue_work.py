"""`moderation queue next|list|show|claim|decide|release`: the queue of a server."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moderation.cli.choices import choice
from moderation.cli.connection import Json, Key, Server, connect

if TYPE_CHECKING:
    from moderation.client import Task

Desk = Annotated[str, typer.Option(help="general, lead or appeals.")]
Token = Annotated[str, typer.Argument(help="Of the lease, as `claim` prints it.")]


def next_command(
    desk: Desk = "general", server: Server = None, key: Key = None, as_json: Json = False
) -> None:
    """Say what kind of work comes next, without claiming it."""
    with connect(server, key) as client:
        found = client.look_ahead(_desk(desk))
    if as_json:
        typer.echo(found.model_dump_json())
    elif not found.waits:
        typer.echo("Nothing waits for you.")
    else:
        due = "" if found.due_at is None else f", due {found.due_at:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{found.modality} under {found.clause_id}, lane {found.lane}{due}")


def list_command(
    desk: Desk = "general",
    limit: Annotated[int, typer.Option(min=1, help="Tasks that are shown.")] = 50,
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """List what waits, in order; for leads."""
    from itertools import islice

    with connect(server, key) as client:
        found = list(islice(client.waiting(_desk(desk)), limit))
    if as_json:
        for one in found:
            typer.echo(one.model_dump_json())
        return
    from moderation.cli.remote_view import print_table

    columns = ("task", "lane", "priority", "clause", "kind", "item", "due")
    print_table([_row(one) for one in found], columns)


def show_command(
    task: Annotated[str, typer.Argument(help="Id of a task.")],
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show one task with the factors of its priority."""
    with connect(server, key) as client:
        found = client.task(task)
    _print_task(found, as_json=as_json)


def claim_command(
    desk: Desk = "general", server: Server = None, key: Key = None, as_json: Json = False
) -> None:
    """Claim the next task. The token decides it, or gives it back."""
    with connect(server, key) as client:
        claimed = client.claim(_desk(desk))
    if as_json:
        typer.echo("null" if claimed is None else claimed.model_dump_json())
    elif claimed is None:
        typer.echo("Nothing waits for you.")
    else:
        _print_task(claimed.task, as_json=False)
        typer.echo(f"token {claimed.lease.token}")
        typer.echo(f"yours until {claimed.lease.expires_at:%Y-%m-%d %H:%M:%S} UTC")


def decide_command(
    token: Token,
    verdict: Annotated[str, typer.Option(help="manipulated, authentic or undetermined.")],
    action: Annotated[str, typer.Option(help="leave, label, restrict or remove.")],
    reason: Annotated[str, typer.Option(help="One of the clause's reasons.")],
    note: Annotated[str, typer.Option(help="For colleagues.")] = "",
    second: Annotated[
        bool, typer.Option("--second", help="Ask for a blind second review.")
    ] = False,
    group: Annotated[
        bool, typer.Option("--group", help="Decide all waiting copies alike.")
    ] = False,
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Decide the task of a lease."""
    from moderation.review.types import Action, Verdict

    with connect(server, key) as client:
        taken = client.decide(
            token,
            verdict=choice(Verdict, verdict, "--verdict"),
            action=choice(Action, action, "--action"),
            reason_code=reason,
            note=note,
            wants_second=second,
            for_group=group,
        )
    for one in taken:
        if as_json:
            typer.echo(one.model_dump_json())
        else:
            typer.echo(f"decision {one.id} on task {one.task_id}: {one.verdict}, {one.action}")


def release_command(token: Token, server: Server = None, key: Key = None) -> None:
    """Give a task back to the queue."""
    with connect(server, key) as client:
        client.release(token)
    typer.echo("given back")


def _row(task: "Task") -> dict[str, Any]:
    return {
        "task": task.id,
        "lane": task.lane,
        "priority": f"{task.priority:.4g}",
        "clause": task.clause_id,
        "kind": task.modality,
        "item": task.item_id,
        "due": None if task.due_at is None else f"{task.due_at:%Y-%m-%d %H:%M}",
    }


def _print_task(task: "Task", *, as_json: bool) -> None:
    if as_json:
        typer.echo(task.model_dump_json())
        return
    from moderation.cli.remote_view import print_table

    rows = [{"": name, "value": value} for name, value in _row(task).items()]
    flat = {name: value for name, value in task.factors.items() if not isinstance(value, dict)}
    flat |= task.factors.get("facts", {})
    rows += [{"": name, "value": json.dumps(value)} for name, value in flat.items()]
    print_table(rows, ("", "value"))


def _desk(name: str) -> Any:
    from moderation.review.types import Desk as ReviewDesk

    return choice(ReviewDesk, name, "--desk")
