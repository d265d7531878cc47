"""`moderation queue`: the review queue. Each sub-command is a module of its own, added here."""

import typer

from moderation.cli import queue_golden
from moderation.cli.queue_simulate import simulate_command
from moderation.cli.queue_work import (
    claim_command,
    decide_command,
    list_command,
    next_command,
    release_command,
    show_command,
)

app = typer.Typer(help="The review queue.", no_args_is_help=True)
app.command("next")(next_command)
app.command("list")(list_command)
app.command("show")(show_command)
app.command("claim")(claim_command)
app.command("decide")(decide_command)
app.command("release")(release_command)
app.command("simulate")(simulate_command)
app.add_typer(queue_golden.app, name="golden")


@app.callback()
def queue() -> None:
    """The review queue."""
