"""`moderation queue golden add|list|retire`: items with a known answer among the work."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from moderation.cli.choices import choice
from moderation.cli.connection import Json, Key, Server, connect

if TYPE_CHECKING:
    from moderation.client.types import Golden

app = typer.Typer(
    help="Items with a known answer, mixed in among reviewers' work.", no_args_is_help=True
)


@app.command("add")
def add_command(
    item: Annotated[str, typer.Argument(help="Id of an item that nobody has to decide any more.")],
    verdict: Annotated[str, typer.Option(help="What is true: manipulated or authentic.")],
    clause: Annotated[
        str | None,
        typer.Option(help="Clause that it is shown under. Default: its own.", show_default=False),
    ] = None,
    harmful: Annotated[
        bool, typer.Option("--harmful", help="Counts towards a reviewer's daily exposure.")
    ] = False,
    server: Server = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Mix an item in from now on. Who adds it is never given it."""
    from moderation.review.types import Verdict

    with connect(server, key) as client:
        added = client.add_golden(
            item,
            choice(Verdict, verdict, "--verdict"),
            clause_id=clause,
            is_harmful=harmful,
        )
    typer.echo(added.model_dump_json() if as_json else f"golden item {added.id}")


@app.command("list")
def list_command(server: Server = None, key: Key = None, as_json: Json = False) -> None:
    """List golden items, with how reviewers did on them."""
    with connect(server, key) as client:
        found = list(client.golden())
    if as_json:
        for one in found:
            typer.echo(one.model_dump_json())
        return
    from moderation.cli.remote_view import print_table

    columns = ("golden", "item", "clause", "verdict", "shown", "right", "added by", "active")
    print_table([_row(one) for one in found], columns)


@app.command("retire")
def retire_command(
    golden: Annotated[str, typer.Argument(help="Id of a golden item, as `list` shows it.")],
    server: Server = None,
    key: Key = None,
) -> None:
    """Mix an item in no more. What was decided on it still counts."""
    with connect(server, key) as client:
        client.retire_golden(golden)
    typer.echo("retired")


def _row(golden: "Golden") -> dict[str, Any]:
    return {
        "golden": golden.id,
        "item": golden.item_id,
        "clause": golden.clause_id,
        "verdict": golden.verdict,
        "shown": golden.shown,
        "right": golden.right,
        "added by": golden.added_by,
        "active": "yes" if golden.is_active else "no",
    }
