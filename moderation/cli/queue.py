"""`moderation queue`: the review queue. Each sub-command is a module of its own, added here."""

import typer

from moderation.cli.queue_simulate import simulate_command

app = typer.Typer(help="The review queue.", no_args_is_help=True)
app.command("simulate")(simulate_command)


@app.callback()
def queue() -> None:
    """The review queue."""
